import assert from "node:assert/strict";
import { notifierLine } from "../../../../operations/notify/jobs/last-run";

describe("the line about the job notifier", () => {
  const now = new Date("2026-11-27T12:00:00Z");
  const job = {
    ...{ missed: [], runs: [], since: now },
    name: "export",
    schedule: { schedule: "0 * * * *" },
  };
  const ran = (time: string) => new Date(`2026-11-27T${time}:00Z`);

  it("says when it last ran, or for how long it has not succeeded", () => {
    assert.equal(notifierLine({ ran: ran("11:48") }, [job], now), "last ran 12 min ago");
    assert.equal(
      notifierLine({ ran: ran("11:48"), trouble: "no route" }, [job], now),
      "last ran 12 min ago, and then failed: no route",
    );
    assert.equal(
      notifierLine({ ran: ran("09:00"), trouble: "no route" }, [job], now),
      "has not succeeded for 3 h: no route",
    );
    assert.match(
      notifierLine({ ran: ran("09:00") }, [job], now) ?? "",
      /3 h: look at .*notify\.yml/,
    );
  });

  it("names the jobs with a recipient if no notifier has run", () => {
    assert.equal(notifierLine(undefined, [job], now), undefined);
    const onFailure = { tell: "slack:#a" };
    assert.match(
      notifierLine(undefined, [job, { ...job, onFailure }], now) ?? "",
      /^has never run: until it runs, no one gets a message when export fails/,
    );
  });
});
