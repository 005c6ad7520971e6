/** Lets each test of a suite go on where the one before ended: after one that failed the others are skipped, which is no success either. */
export function stepByStep(): void {
  let failed = false;
  beforeEach(function () {
    if (failed) this.skip();
  });
  afterEach(function () {
    failed ||= this.currentTest?.state === "failed";
  });
}
