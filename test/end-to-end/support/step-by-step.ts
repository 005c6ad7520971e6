/**
 * Lets each test of a suite continue where the one before ended.
 * After a test that failed, the others are skipped, and do not count as passed.
 */
export function stepByStep(): void {
  let failed = false;
  beforeEach(function () {
    if (failed) this.skip();
  });
  afterEach(function () {
    failed ||= this.currentTest?.state === "failed";
  });
}
