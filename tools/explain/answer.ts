import type { Json } from "../../operations/pulumi/events";
import type { Consequence } from "./impacts";
import type { Place } from "./source";

/** A value, and the stacks that have this value. */
export interface Value {
  /**
   * Name of the component or the object. Undefined if the stack has only one component or object of
   * this type.
   */
  readonly of?: string;
  /** Path of the field. Undefined if the question is about an arg, a setting or an object. */
  readonly path?: string;
  /** The place or variable from which a stack gets the value. */
  readonly set?: string;
  readonly stacks: readonly string[];
  readonly value: Json;
}

/** A place in the source code, with the code at this place. */
export interface Written extends Place {
  readonly text: string;
}

/** What `npm run explain` prints about one arg, field, object, component or setting. */
export interface Answer {
  /** For a setting: the allowed values. */
  readonly allowed?: string;
  /**
   * For an arg or an object: fields of Kubernetes objects, written `KIND PATH`. For a setting or a
   * component: args, written `COMPONENT.ARG`. Empty for a field.
   */
  readonly becomes: readonly string[];
  readonly consequences: readonly Consequence[];
  readonly default?: string;
  readonly example?: string;
  readonly place?: Place;
  readonly see?: string;
  /**
   * For a field: the args that set the field. For an object: the args that set its fields. Each
   * element has the form `COMPONENT.ARG`.
   */
  readonly setBy: readonly string[];
  readonly text: string;
  readonly type?: string;
  readonly values: readonly Value[];
  /** What the word names, such as `arg of Canary, WebService` or `field of Deployment`. */
  readonly what: string;
  readonly word: string;
  /**
   * Places in the source code. For an arg: places that set the arg. For a field or an object:
   * places that create the object.
   */
  readonly written: readonly Written[];
}
