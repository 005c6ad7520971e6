import { executable, isObtained, obtain } from "./obtain";
import { goarch, type Part } from "./parts";

/** A release that is not affected by the incident of March 2026 (an attacker published 0.69.4). */
const version = "0.69.2"; // renovate: github-releases aquasecurity/trivy
const release = `https://github.com/aquasecurity/trivy/releases/download/v${version}`;
const file = `trivy_${version}_Linux-${goarch === "amd64" ? "64bit" : "ARM64"}.tar.gz`;

const part: Part = {
  builds: [],
  downloads: [
    {
      checksums: `${release}/trivy_${version}_checksums.txt`,
      take: { trivy: "trivy" },
      url: `${release}/${file}`,
    },
  ],
  files: ["trivy"],
  name: "trivy",
  title: "Trivy (scanner)",
  version,
};

/** Trivy's path. Fetches its official release first if it is missing. */
export async function trivy(): Promise<string> {
  if (!isObtained(part)) await obtain(part, () => undefined);
  return executable(part);
}
