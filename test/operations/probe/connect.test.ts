import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { http, tcp } from "../../../operations/probe/from-here";
import { project } from "../../../lib/project";
import { command } from "../../../lib/command";

const script = join(project, "operations", "probe", "connect.pl");

async function connect(...doors: readonly string[]): Promise<Readonly<Record<string, string>>> {
  const answer = await command("perl", [script, "1", ...doors], { timeout: 10_000 });
  const lines = answer.split("\n").map((line) => line.split(" ") as [string, string]);
  return Object.fromEntries(lines);
}

/** Returns a port of 127.0.0.1 on which no program listens. */
async function closedPort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

describe("what a probe's pod tries", () => {
  it("is distinguished: open, refused, answered, silent", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    const mute = createSocket("udp4").bind(0, "127.0.0.1");
    const talker = createSocket("udp4").bind(0, "127.0.0.1");
    talker.on("message", (_, { address, port }) => {
      talker.send("yes", port, address);
    });
    await Promise.all([server, mute, talker].map((socket) => once(socket, "listening")));
    try {
      const open = `TCP/127.0.0.1/${String((server.address() as AddressInfo).port)}`;
      const refused = `TCP/127.0.0.1/${String(await closedPort())}`;
      const silent = `UDP/127.0.0.1/${String(mute.address().port)}`;
      const answered = `UDP/127.0.0.1/${String(talker.address().port)}`;
      const refusedUdp = `UDP/127.0.0.1/${String(await closedPort())}`;
      assert.deepEqual(await connect(open, refused, silent, answered, refusedUdp), {
        [answered]: "open",
        [open]: "open",
        [refused]: "refused",
        [refusedUdp]: "refused",
        [silent]: "silent",
      });
    } finally {
      server.close();
      mute.close();
      talker.close();
    }
  });
});

describe("what a probe tries from here", () => {
  it("is distinguished: open and refused", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    assert.equal(await tcp("127.0.0.1", port, 1), "open");
    server.close();
    assert.equal(await tcp("127.0.0.1", await closedPort(), 1), "refused");
  });

  it("is open by the URL when the service answers, and not when the gateway does", async () => {
    const hosts: (string | undefined)[] = [];
    let status = 404;
    let headers: Record<string, string> = { "Service-Version": "1234567" };
    const server = createHttpServer((request, response) => {
      hosts.push(request.headers.host);
      response.writeHead(status, headers).end();
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const url = `http://services-orders.x.localhost:${String(port)}/`;
    try {
      assert.equal(await http(url, 1), "open");
      assert.deepEqual(hosts, [`services-orders.x.localhost:${String(port)}`]);
      headers = {};
      for (status of [200, 404, 504]) assert.equal(await http(url, 1), `http-${String(status)}`);
    } finally {
      server.close();
    }
  });
});
