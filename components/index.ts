/**
 * Exports the components for programs in other repositories. The program of this repository imports
 * the files directly, so that a stack loads only the components that it needs.
 */
export { ContainerImage, type ContainerImageArgs, type Platform } from "./image/container-image";
export { ReviewNamespace, type ReviewNamespaceArgs } from "./namespace/review-namespace";
export { StackNamespace, type StackNamespaceArgs } from "./namespace/stack-namespace";
export { Postgres, type PostgresArgs } from "./postgres/postgres";
export { CommandTemplate, type CommandTemplateArgs } from "./scheduled-job/command-template";
export { ScheduledJob, type ScheduledJobArgs } from "./scheduled-job/scheduled-job";
export { Canary, type CanaryArgs } from "./web-service/canary";
export { WebService, type WebServiceArgs } from "./web-service/web-service";
export type { Database } from "./pods/database";
export type { Identity, Release } from "./conventions/labels";
export type { Override, Plain } from "./conventions/override";
export type { ExtraVolume, ExtraVolumeMount, SecretFiles } from "./pods/args";
export type { OnFailure, Recipient } from "./scheduled-job/args";
export type { IngressPath } from "./web-service/arg-types";
