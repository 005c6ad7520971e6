import { budgets } from "../conventions/names";
import { isMemory } from "../conventions/quantities";
import { type Checked, check, dnsLabel, imageRef } from "../conventions/validation";
import type { PostgresInputs } from "./pod-template";

/** Checks all rules of a database and returns the issues. */
export function postgresIssues(name: string, args: PostgresInputs): readonly Checked[] {
  const { databaseName, storage } = args;
  return [
    dnsLabel("name", name, budgets.statefulSet),
    imageRef("imageRef", args.imageRef),
    check(/^[a-z][a-z0-9_]{0,62}$/.test(databaseName), {
      arg: "databaseName",
      fix: "use lower case letters, digits and _, and start with a letter",
      got: databaseName,
      rule: "be a plain identifier of at most 63 characters",
    }),
    check(isMemory(storage), {
      arg: "storage",
      fix: 'write it as "1Gi"',
      got: storage,
      rule: "be a quantity in Ki, Mi or Gi",
    }),
  ];
}
