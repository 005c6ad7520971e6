/** Key that marks an object as a special value of Pulumi, such as a secret or an asset. */
export const signature = "4dabf18193072939515e22adb298388d";

/** Value of the key {@link signature} in a secret. */
export const secretSignature = "1b47061264138c4ac30d75fd1eb44270";

/** Text that stands for an unknown value in the engine's events. */
export const unknownMark = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
