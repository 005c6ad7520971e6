import assert from "node:assert/strict";
import { isSecretName, secretParts } from "../../../../components/conventions/secrets/secret-texts";
import { harmless, planted } from "./corpus";

/**
 * Returns the text of a variable or a file, without the secrets in the text. Empty if `name` is the
 * name of a secret.
 */
function shown(name: string, text: string): string {
  if (isSecretName(name)) return "";
  return secretParts(text).reduce((rest, part) => rest.replaceAll(part, "[secret]"), text);
}

describe("the secrets of a text", () => {
  for (const { name, secret, text } of planted) {
    it(`are found in ${name}`, () => {
      assert.ok(!shown(name, text).includes(secret), shown(name, text));
      for (const line of secret.split("\n")) assert.ok(!shown(name, text).includes(line));
    });
  }
  for (const { name, text } of harmless) {
    it(`do not exist in ${name} = ${text.split("\n")[0] ?? ""}`, () => {
      assert.equal(shown(name, text), text);
    });
  }

  it("are found in the one line in which JSON writes a private key", () => {
    const [key] = planted.filter(({ name }) => name.endsWith("key.pem"));
    assert.ok(!shown("FILE", JSON.stringify(key?.text)).includes(key?.secret ?? ""));
  });
});
