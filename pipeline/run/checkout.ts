import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { command } from "../../lib/command";

/**
 * Clones the repository and checks out the commit, as CircleCI does. The remote `origin` of the
 * clone is the local repository, so that commands of the job can read the branches of the local
 * repository.
 */
export async function checkOut(
  root: string,
  copy: string,
  commit: string,
  branch: string,
): Promise<void> {
  mkdirSync(join(copy, ".."), { recursive: true });
  await command("git", ["clone", "--quiet", "--no-checkout", root, copy], { timeout: 300_000 });
  await command("git", ["checkout", "--quiet", "-B", branch, commit], {
    cwd: copy,
    timeout: 300_000,
  });
  const packages = join(root, "node_modules");
  if (existsSync(packages)) {
    // If possible, the copy of the npm packages consists of hard links, because the system creates
    // hard links faster than copies of files. If the packages do not match the lock file, the first
    // command of the job installs the packages again.
    await command("cp", ["-al", packages, copy], { timeout: 300_000 }).catch(async () =>
      command("cp", ["-a", packages, copy], { timeout: 300_000 }),
    );
  }
}
