package com.example.orders.config;

import java.nio.file.Path;

/**
 * Settings of the server that answers requests for dumps of this JVM.
 *
 * @param port port on the loopback address
 * @param directory directory for the files. The service deletes a file when the caller has received
 *     the file, or no longer asks for the file.
 * @param volumeBytes size of the volume with the directory
 * @param podBytes maximum size of all files of the pod together. If the pod writes more, Kubernetes
 *     evicts the pod.
 */
public record DiagnosticsConfiguration(int port, Path directory, long volumeBytes, long podBytes) {}
