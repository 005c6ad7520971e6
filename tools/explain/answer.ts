import type { Json } from "../../operations/pulumi/events";
import type { Consequence } from "./impacts";
import type { Place } from "./source";

/** A value, and the stacks that have it. */
export interface Value {
  /** Name of the component or the object, if a stack has several. */
  readonly of?: string;
  /** Path of the field, if the question is about a field with fields below. */
  readonly path?: string;
  /** Where a stack gets the value from. */
  readonly set?: string;
  readonly stacks: readonly string[];
  readonly value: Json;
}

/** A place in the source code, and what stands there. */
export interface Written extends Place {
  readonly text: string;
}

/** The answer to a question about one arg, field, object, component or setting. */
export interface Answer {
  /** For a setting: the allowed values. */
  readonly allowed?: string;
  /** Fields that an arg becomes, or args that set a field: `KIND PATH` or `COMPONENT.ARG`. */
  readonly becomes: readonly string[];
  readonly consequences: readonly Consequence[];
  readonly default?: string;
  readonly example?: string;
  readonly place?: Place;
  readonly see?: string;
  /** Args that set a field or an object, or that a setting becomes: `COMPONENT.ARG`. */
  readonly setBy: readonly string[];
  readonly text: string;
  readonly type?: string;
  readonly values: readonly Value[];
  /** `arg of Canary, WebService`, `field of Deployment`, ... */
  readonly what: string;
  readonly word: string;
  /** Places in the program that give the value. */
  readonly written: readonly Written[];
}
