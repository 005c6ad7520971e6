import assert from "node:assert/strict";
import fc from "fast-check";
import {
  type ScheduleField,
  restrictsBothDays,
  scheduleFields,
  scheduleValues,
  shortestPeriodSeconds,
  wrongFields,
} from "../../../../components/conventions/schedules/cron";

const anyCase = (word: string) => fc.constantFrom(word, word.toLowerCase());

/** Generates the text of a number in a field: the number itself, or its name, such as `MON`. */
function written(field: ScheduleField, number: number): fc.Arbitrary<string> {
  const word = field.words[number - field.min];
  return word === undefined
    ? fc.constant(String(number))
    : fc.oneof(fc.constant(String(number)), anyCase(word));
}

/**
 * Generates a field in every form that Kubernetes accepts: a list of stars, numbers, ranges and
 * steps.
 */
function legal(field: ScheduleField): fc.Arbitrary<string> {
  const number = fc.integer({ max: field.max, min: field.min });
  const one = number.chain((value) => written(field, value));
  const range = fc
    .tuple(number, number)
    .map((ends) => ends.sort((a, b) => a - b))
    .chain(([from, to]) => fc.tuple(written(field, from), written(field, to)))
    .map((ends) => ends.join("-"));
  const start = fc.oneof(fc.constantFrom("*", "?"), one, range);
  const step = fc.option(fc.integer({ max: field.max, min: 1 }), { nil: undefined });
  const part = fc
    .tuple(start, step)
    .map(([from, every]) => (every === undefined ? from : `${from}/${String(every)}`));
  return fc.array(part, { maxLength: 3, minLength: 1 }).map((parts) => parts.join(","));
}

const schedule = fc.tuple(...scheduleFields.map(legal));

describe("the days of a schedule", () => {
  it("are restricted twice only if neither field has a star or a question mark without a step", () => {
    const twice = ["0 3 1 * MON", "0 3 1-7 * 1", "0 3 */2 * MON", "0 3 1 * */2", "0 3 ?/2 * 1,2"];
    const once = [
      "0 3 * * MON",
      "0 3 1 * *",
      "0 3 1 * ?",
      "0 3 */1 * 1",
      "0 3 1,* * 1",
      "0 3 * * *",
    ];
    assert.deepEqual(
      twice.filter((text) => !restrictsBothDays(text)),
      [],
    );
    assert.deepEqual(once.filter(restrictsBothDays), []);
  });
});

describe("the fields of a schedule", () => {
  it("are right in every form that Kubernetes takes", () => {
    fc.assert(
      fc.property(schedule, (fields) => {
        assert.deepEqual(wrongFields(fields.join(" ")), []);
        assert.ok((shortestPeriodSeconds(fields.join(" ")) ?? 0) >= 60);
      }),
    );
  });

  it("have the same values in every form", () => {
    const valuesOf = (text: string) => scheduleValues(text)?.map((values) => [...values].sort());
    assert.deepEqual(
      valuesOf("5/20 0-23 */10 mar,OCT sun-2"),
      valuesOf("5,25,45 * 1,11,21,31 3,10 0,1,2"),
    );
    assert.equal(scheduleValues("0 3 * *"), undefined);
    assert.equal(scheduleValues("60 3 * * *"), undefined);
  });

  it("are wrong, and named, when one number is out of its range, wherever it stands", () => {
    const place = fc.nat(scheduleFields.length - 1);
    const form = fc.constantFrom("N", "N/2", "*,N", "0-N", "N-N", "N-99");
    fc.assert(
      fc.property(
        schedule,
        place,
        form,
        fc.integer({ max: 90, min: 1 }),
        (good, i, text, above) => {
          const field = scheduleFields[i] as ScheduleField;
          const fields = good.with(i, text.replaceAll("N", String(field.max + above)));
          assert.deepEqual(wrongFields(fields.join(" ")), [field]);
          assert.equal(shortestPeriodSeconds(fields.join(" ")), undefined);
        },
      ),
    );
  });

  for (const [text, name] of [
    ["0 3 0 * *", "days of the month"],
    ["0 3 32 * *", "days of the month"],
    ["0 3 * 0 *", "months"],
    ["0 3 * 13 *", "months"],
    ["0 3 * MONDAY *", "months"],
    ["0 3 * * 7", "days of the week"],
    ["0 3 * * FOO", "days of the week"],
    ["0 3 * * FRI-SUN", "days of the week"],
    ["0 3 * * 1-", "days of the week"],
    ["0 3 * * 1,", "days of the week"],
    ["0 3 * * L", "days of the week"],
    ["JAN 3 * * *", "minutes"],
    ["*/61 * * * *", "minutes"],
    ["0 */25 * * *", "hours"],
    ["0 0 */32 * *", "days of the month"],
    ["0 0 1 1-2/13 *", "months"],
    ["0 0 * * */8", "days of the week"],
  ] as const) {
    it(`are wrong in "${text}": its ${name}`, () => {
      assert.deepEqual(
        wrongFields(text)?.map((field) => field.name),
        [name],
      );
    });
  }

  it("may have a step as long as the whole field, which is once", () => {
    for (const text of ["*/60 * * * *", "0 */24 * * *", "0 0 */31 */12 *", "0 0 * * */7"]) {
      assert.deepEqual(wrongFields(text), [], text);
    }
  });

  it("may be a date that never comes, and words in any case", () => {
    assert.deepEqual(wrongFields("0 0 31 2 *"), []);
    assert.deepEqual(wrongFields("0 0 ? jan-Mar sun,WED"), []);
  });

  it("are five, with one space between, and no word for them", () => {
    for (const text of ["@daily", "@every 1h", "0 0 * *", "0 0 * * * *", "0  0 * * *"]) {
      assert.equal(wrongFields(text), undefined, text);
    }
  });
});

describe("shortestPeriodSeconds", () => {
  const cases: readonly [string, number | undefined][] = [
    ["* * * * *", 60],
    ["*/15 * * * *", 900],
    ["0 * * * *", 3600],
    ["0,50 * * * *", 600],
    ["5/20 * * * *", 1200],
    ["30 3 * * *", 86_400],
    ["0 22,2 * * *", 14_400],
    ["0 9-17/4 * * MON-FRI", 14_400],
    ["60 * * * *", undefined],
    ["5-1 * * * *", undefined],
    ["*/0 * * * *", undefined],
    ["0 0 * *", undefined],
    ["@hourly", undefined],
    ["0 0 * * ;", undefined],
  ];
  for (const [schedule, expected] of cases) {
    it(`of "${schedule}" is ${String(expected)}`, () => {
      assert.equal(shortestPeriodSeconds(schedule), expected);
    });
  }
});
