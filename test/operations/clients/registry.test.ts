import assert from "node:assert/strict";
import { type Server, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { addTag, imageParts } from "../../../operations/clients/registry";

const digest = `sha256:${"a".repeat(64)}`;
const other = `sha256:${"b".repeat(64)}`;
const body = '{"schemaVersion":2}';
const type = "application/vnd.oci.image.index.v1+json";

describe("a tag in the registry", () => {
  let tags: Map<string, string>;
  let server: Server;
  let host: string;

  beforeEach(async () => {
    tags = new Map();
    server = createServer((request, response) => {
      const [, reference = ""] =
        /\/v2\/team\/orders\/manifests\/(.+)$/.exec(request.url ?? "") ?? [];
      const found = reference === digest ? digest : tags.get(reference);
      if (request.method === "PUT") {
        tags.set(reference, digest);
        response.writeHead(request.headers["content-type"] === type ? 201 : 400).end();
      } else if (found === undefined) response.writeHead(404).end();
      else {
        response.writeHead(200, { "Content-Type": type, "Docker-Content-Digest": found });
        response.end(request.method === "HEAD" ? undefined : body);
      }
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    host = `127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  });
  afterEach(() => {
    server.close();
    server.closeAllConnections();
  });

  const image = (): string => `${host}/team/orders@${digest}`;

  it("is added without moving any data", async () => {
    assert.equal(await addTag(image(), "release-1"), "added");
    assert.equal(tags.get("release-1"), digest);
  });

  it("may be there already", async () => {
    tags.set("release-1", digest);
    assert.equal(await addTag(image(), "release-1"), "was there");
  });

  it("is never moved", async () => {
    tags.set("release-1", other);
    await assert.rejects(addTag(image(), "release-1"), /names sha256:bbb.*never moved/);
    assert.equal(tags.get("release-1"), other);
  });

  it("is not made for an image that is gone", async () => {
    const gone = `${host}/team/orders@sha256:${"c".repeat(64)}`;
    await assert.rejects(addTag(gone, "release-1"), /answers 404.*may have expired/);
    assert.equal(tags.size, 0);
  });

  it("names the registry that does not answer", async () => {
    server.close();
    server.closeAllConnections();
    await assert.rejects(addTag(image(), "release-1"), new RegExp(`${host} does not answer`));
  });

  it("needs an image by its digest", () => {
    assert.throws(() => imageParts("registry/orders:latest"), /a tag may be moved/);
    assert.deepEqual(imageParts(`registry:5000/a/b@${digest}`), {
      digest,
      host: "registry:5000",
      path: "a/b",
    });
  });
});
