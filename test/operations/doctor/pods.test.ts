import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { firstInstruction, probeObjects } from "../../../operations/doctor/pods";
import { command } from "../../../lib/command";

describe("the doctor's pods", () => {
  it("are created after the policies that apply to them", () => {
    const objects = probeObjects("here", "image", ["TCP/10.0.0.1/443"]) as {
      readonly kind: string;
    }[];
    const kinds = objects.map(({ kind }) => kind);
    assert.deepEqual(kinds, ["Namespace", "NetworkPolicy", "NetworkPolicy", "Pod", "Pod"]);
  });

  it("print what the first instruction reached, and what a later one reached", async () => {
    const server = createServer((socket) => socket.destroy()).listen(0, "127.0.0.1");
    await once(server, "listening");
    const door = `TCP/127.0.0.1/${String((server.address() as AddressInfo).port)}`;
    const [file = "", ...args] = firstInstruction("denied", [door]);
    // The test closes the port after the first line. The closed port has the same effect as network
    // policies that begin to apply too late.
    const onLine = (line: string) => {
      if (line.startsWith("first")) server.close();
    };
    const output = await command(file, args, { onLine, timeout: 30_000 });
    assert.deepEqual(output.split("\n"), [`first ${door} open`, `last ${door} refused`]);
  });

  it("print nothing more if the first instruction reached nothing", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const door = `TCP/127.0.0.1/${String((server.address() as AddressInfo).port)}`;
    server.close();
    await once(server, "close");
    const [file = "", ...args] = firstInstruction("denied", [door]);
    assert.equal(await command(file, args, { timeout: 30_000 }), `first ${door} refused`);
  });
});
