import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { Forward } from "../../../operations/run/forward";
import { Output } from "../../../operations/run/output";
import { OutputStandIn } from "./stand-in";

/**
 * Returns a function that starts a program. The program prints what `kubectl port-forward` prints,
 * and then continues to run.
 */
const forwarding = (port: number) => () =>
  spawn("sh", ["-c", `echo "Forwarding from 127.0.0.1:${String(port)} -> 8082"; exec sleep 60`]);

describe("the output of a command", () => {
  it("is the same to the last byte when connections break, and each byte comes once", async () => {
    const content = randomBytes(3_000_000);
    const pod = new OutputStandIn(content, [0, 1_000_001, 7]);
    const port = await pod.listen();
    const parts: Buffer[] = [];
    const output = new Output(
      async () => Forward.open(forwarding(port), "ns", "pod", 8082),
      async (part) => {
        parts.push(part);
        return Promise.resolve();
      },
    );
    try {
      assert.equal(await output.receive(new AbortController().signal), true);
      assert.ok(Buffer.concat(parts).equals(content));
      assert.equal(output.broken, 3);
      assert.equal(output.bytes, content.length);
      await output.confirm();
      assert.equal(pod.received, true);
    } finally {
      output.close();
      pod.close();
    }
  });

  it("ends with the error of the one who receives it, such as a closed pipe", async () => {
    const pod = new OutputStandIn(Buffer.from("id\n"));
    const port = await pod.listen();
    const output = new Output(
      async () => Forward.open(forwarding(port), "ns", "pod", 8082),
      async () => Promise.reject(new Error("write EPIPE")),
    );
    try {
      const received = output.receive(new AbortController().signal);
      await assert.rejects(received, /^Error: the output cannot be written: write EPIPE$/);
      assert.equal(output.broken, 0);
    } finally {
      output.close();
      pod.close();
    }
  });

  it("is not complete if the pod is gone", async () => {
    const gone = new AbortController();
    const output = new Output(
      async () => {
        gone.abort();
        return Promise.reject(new Error("no pod"));
      },
      async () => Promise.resolve(),
    );
    assert.equal(await output.receive(gone.signal), false);
  });

  it("says what kubectl said if there is no connection", async () => {
    const failing = () => spawn("sh", ["-c", "echo 'error: pods not found' >&2; exit 1"]);
    await assert.rejects(
      Forward.open(failing, "ns", "pod", 8082),
      /port-forward ended: error: pods not found/,
    );
  });
});
