import { messages } from "../../policy/policies";
import type { Rule } from "../../policy/rules/rule";
import type { Recorder } from "./mocks";

/** Returns the violations that the rules report for the recorded resources. */
export function said(recorder: Recorder, stack: string, rules: readonly Rule[]): readonly string[] {
  return recorder.resources.flatMap(({ inputs, name, protect, type }) => {
    const urn = `urn:pulumi:${stack}::services-orders::${type}::${name}`;
    const given = { name, opts: { protect }, props: inputs ?? {}, type, urn };
    return rules.flatMap((rule) => messages(rule, given as never, []));
  });
}
