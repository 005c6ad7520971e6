import assert from "node:assert/strict";
import { enforcementIn, metadataIn } from "../../../operations/doctor/observed";

const doors = {
  DNS: "UDP/10.0.0.10/53",
  "the API server": "TCP/10.0.0.1/443",
  "the instance metadata": "TCP/169.254.169.254/80",
};

/**
 * Returns the lines that a pod of the doctor prints if its connection to the API server has the
 * result `api`, and its other connections get no response.
 */
const lines = (word: "first" | "last", api: string) =>
  [
    `${word} ${doors["the API server"]} ${api}`,
    `${word} ${doors.DNS} silent`,
    `${word} ${doors["the instance metadata"]} time-out`,
  ].join("\n");

const reachesAll = lines("last", "open");

describe("what the pods of the doctor have seen", () => {
  it("is strict if the first instruction reached nothing that an allowed pod reaches", () => {
    const { enforcement, finding } = enforcementIn(lines("first", "time-out"), reachesAll, doors);
    assert.equal(enforcement, "strict");
    assert.deepEqual(finding, {
      status: "ok",
      text: "the first instruction of a pod reached nothing (tried: the API server)",
    });
  });

  it("is late if the first instruction reached something, and later ones did not", () => {
    const denied = `${lines("first", "open")}\n${lines("last", "time-out")}`;
    const { enforcement, finding } = enforcementIn(denied, reachesAll, doors);
    assert.equal(enforcement, "late");
    assert.equal(finding.status, "wrong");
    assert.match(
      finding.text,
      /reached the API server with its first instruction\. Set NETWORK_POLICY_ENFORCING_MODE to strict/,
    );
  });

  it("is never if later instructions reach it too", () => {
    const denied = `${lines("first", "open")}\n${lines("last", "open")}`;
    const { enforcement, finding } = enforcementIn(denied, reachesAll, doors);
    assert.equal(enforcement, "never");
    assert.match(finding.text, /reached the API server all the time\. Turn on the agent/);
  });

  it("is unknown if the allowed pod reached nothing either, because that proves nothing", () => {
    const closed = [lines("first", "time-out"), lines("last", "time-out")] as const;
    const { enforcement, finding } = enforcementIn(...closed, doors);
    assert.equal(enforcement, undefined);
    assert.equal(finding.status, "unknown");
    assert.match(finding.text, /proves nothing/);
  });

  it("is unknown without output", () => {
    const { enforcement, finding } = enforcementIn("", reachesAll, doors);
    assert.deepEqual([enforcement, finding.status], [undefined, "unknown"]);
  });
});

describe("the instance metadata", () => {
  const seen = (plain: string, token: string) =>
    metadataIn(`metadata without-token ${plain}\nmetadata token ${token}`);

  it("are closed if no request is answered with 200", () => {
    assert.equal(seen("no-answer", "no-answer").status, "ok");
    // With IMDSv2 and hop limit 1, the response to a request without a token, with status 401,
    // reaches the pod, but a token does not reach the pod.
    assert.equal(seen("401", "no-answer").status, "ok");
  });

  it("are open without a token, or if a pod gets a token", () => {
    assert.match(seen("200", "no-answer").text, /without a token.*Require IMDSv2/);
    assert.match(seen("401", "200").text, /gets a token.*hop limit to 1/);
  });

  it("are unknown if the pod did not end", () => {
    assert.equal(metadataIn("").status, "unknown");
  });
});
