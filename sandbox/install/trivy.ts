import { downloadOrBuild, executable, isInstalled } from "./download-or-build";
import { githubDownload, goarch, type Part } from "./parts";

/**
 * Trivy's version. In March 2026, an attacker published version 0.69.4, so do not use that version.
 */
const version = "0.69.2"; // renovate: github-releases aquasecurity/trivy
const file = `trivy_${version}_Linux-${goarch === "amd64" ? "64bit" : "ARM64"}.tar.gz`;
const checksums = `trivy_${version}_checksums.txt`;

const part: Part = {
  name: "trivy",
  title: "Trivy (scanner)",
  version,
  files: ["trivy"],
  downloads: [githubDownload("aquasecurity/trivy", version, file, { trivy: "trivy" }, checksums)],
  builds: [],
};

/** Returns the path of Trivy. If Trivy is missing, first downloads Trivy's official release. */
export async function trivy(): Promise<string> {
  if (!isInstalled(part)) await downloadOrBuild(part, () => undefined);
  return executable(part);
}
