/** Type of the args with their defaults: each arg that has a default always has a value. */
export type WithDefaults<Args extends object, Defaults extends object> = Omit<
  Args,
  keyof Defaults
> & {
  readonly [Key in keyof Defaults]: Key extends keyof Args
    ? Exclude<Args[Key], undefined>
    : Defaults[Key];
};

/** Returns an object with only the fields that have a value. */
export function defined<T extends object>(
  fields: T,
): { [Key in keyof T]?: Exclude<T[Key], undefined> } {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [Key in keyof T]?: Exclude<T[Key], undefined> };
}

/**
 * Returns the args with the defaults from a table of defaults.ts. An arg that is `undefined` gets
 * its default.
 */
export function withDefaults<Args extends object, Defaults extends object>(
  args: Args,
  defaults: Defaults,
): WithDefaults<Args, Defaults> {
  return { ...defaults, ...defined(args) } as WithDefaults<Args, Defaults>;
}
