import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { bars } from '../../../src/extension/bars';
import { editDistance, follow, shifted, stillThere, type Offer, type OfferEvent } from '../../../src/extension/offers';
import {
  count,
  latencyQuantile,
  noStatistics,
  readStatistics,
  totals,
  type Statistics,
  type StatisticsEvent,
} from '../../../src/extension/statistics';
import { statisticsHtml } from '../../../src/extension/statisticsView';

const uri = 'file:///a.ts';

/** What is counted along a sequence of events, in short. */
function counted(events: OfferEvent[]): string {
  let offer: Offer | undefined;
  const all: StatisticsEvent[] = [];
  for (const event of events) {
    const next = follow(offer, event);
    offer = next.offer;
    all.push(...next.events);
  }
  return all.map((event) => ('characters' in event ? `${event.type} ${event.characters}` : event.type)).join(', ');
}

describe('what becomes of a suggestion', () => {
  const offered = (offset: number, text: string, now: number, others: string[] = []): OfferEvent => ({
    type: 'offered',
    uri,
    offset,
    text,
    others,
    now,
  });
  const changed = (offset: number, inserted: string, now: number): OfferEvent => ({
    type: 'changed',
    uri,
    offset,
    inserted,
    now,
  });
  const accepted: OfferEvent = { type: 'accepted' };
  const table: [name: string, events: OfferEvent[], expected: string][] = [
    ['nothing yet', [offered(5, 'abc()', 0)], ''],
    ['accepted', [offered(5, 'abc()', 0), changed(5, 'abc()', 900), accepted], 'shown, accepted 5'],
    [
      'accepted after typing along, written from its beginning on',
      [offered(5, 'abc()', 0), changed(5, 'a', 300), changed(5, 'abc()', 900), accepted],
      'shown, accepted 4',
    ],
    [
      'typed along, asked again, accepted',
      [offered(5, 'abc()', 0), changed(5, 'a', 300), offered(6, 'bc()', 350), changed(6, 'bc()', 900), accepted],
      'shown, accepted 4',
    ],
    [
      'two words, then the rest',
      [
        offered(5, 'let a = 1;', 0),
        changed(5, 'let ', 500),
        offered(9, 'a = 1;', 550),
        changed(9, 'a ', 900),
        changed(11, '= 1;', 1200),
        accepted,
      ],
      'shown, partly 4, partly 2, accepted 4',
    ],
    [
      'another was chosen, and accepted',
      [offered(5, 'abc()', 0, ['abd', 'xy']), changed(5, 'xy', 900), accepted],
      'shown, accepted 2',
    ],
    [
      'another was chosen, its first word accepted, then the rest',
      [offered(5, 'abc()', 0, ['x y']), changed(5, 'x ', 500), changed(7, 'y', 600), changed(8, 'q', 700)],
      'shown, partly 2',
    ],
    [
      'a word, then something else',
      [offered(5, 'let a', 0), changed(5, 'let ', 500), changed(9, 'x', 900)],
      'shown, partly 4',
    ],
    ['typed to its end', [offered(5, 'ab', 0), changed(5, 'a', 300), changed(6, 'b', 600)], ''],
    ['something else is typed', [offered(5, 'ab', 0), changed(5, 'x', 600)], 'shown, dismissed'],
    ['something else is typed at once', [offered(5, 'ab', 0), changed(5, 'x', 100)], ''],
    ['deleted', [offered(5, 'ab', 0), changed(4, '', 600)], 'shown, dismissed'],
    [
      'another takes its place',
      [offered(5, 'ab', 0), offered(5, 'cd', 600), offered(5, 'ef', 700)],
      'shown, dismissed',
    ],
    [
      'the user goes elsewhere',
      [offered(5, 'ab', 0), { type: 'left', now: 600 }, { type: 'left', now: 900 }],
      'shown, dismissed',
    ],
    [
      'another document changes',
      [offered(5, 'ab', 0), { type: 'changed', uri: 'file:///b.ts', offset: 1, inserted: 'x', now: 600 }],
      '',
    ],
    ['accepted although nothing was known', [accepted], 'shown, accepted 0'],
  ];
  for (const [name, events, expected] of table) test(name, () => assert.equal(counted(events), expected));
});

describe('accepted text is followed through changes', () => {
  const at = { start: 10, end: 20 };
  const table: [
    name: string,
    change: [offset: number, removed: number, inserted: number],
    start: number,
    end: number,
  ][] = [
    ['before it', [0, 0, 3], 13, 23],
    ['right before it', [10, 0, 3], 13, 23],
    ['after it', [20, 0, 3], 10, 20],
    ['inside of it', [15, 0, 3], 10, 23],
    ['some of it is deleted', [12, 4, 0], 10, 16],
    ['all of it is deleted', [10, 10, 0], 10, 10],
    ['with what stands around it', [5, 30, 0], 5, 5],
    ['its beginning, with what stands before', [5, 10, 0], 5, 10],
    ['its end, with what stands after', [15, 10, 0], 10, 15],
    ['replaced', [10, 10, 2], 10, 12],
  ];
  for (const [name, [offset, removed, inserted], start, end] of table) {
    test(name, () => assert.deepEqual(shifted(at, { offset, removed, inserted }), { start, end }));
  }

  const kept: [name: string, before: string, now: string, there: boolean][] = [
    ['as it was', 'return a + b;', 'return a + b;', true],
    ['indented otherwise', 'if (a) {\n  b();\n}', 'if (a) {\n    b();\n}', true],
    ['a name changed', 'return first + b;', 'return last + b;', true],
    ['more within', 'a(); b();', 'a(); b(); c(); d(); e();', true],
    ['another text', 'return a + b;', 'throw new Error("x")', false],
    ['gone', 'return a + b;', '', false],
  ];
  for (const [name, before, now, there] of kept) {
    test(name, () => assert.equal(stillThere(before, now), there));
  }

  test('edit distance', () => {
    const distances: [string, string, number][] = [
      ['', '', 0],
      ['', 'abc', 3],
      ['kitten', 'sitting', 3],
      ['abc', 'abc', 0],
    ];
    for (const [a, b, distance] of distances) assert.equal(editDistance(a, b), distance);
  });
});

const day = (events: StatisticsEvent[], date = '2026-11-22', from: Statistics = noStatistics) =>
  events.reduce((all, event) => count(all, event, date), from);

describe('the counts', () => {
  test('by day, and all together', () => {
    const first = day([
      { type: 'shown' },
      { type: 'accepted', characters: 12 },
      { type: 'checked', after: 30, kept: true },
    ]);
    const both = day(
      [
        { type: 'shown' },
        { type: 'dismissed' },
        { type: 'partly', characters: 5, first: true },
        { type: 'partly', characters: 1, first: false },
        { type: 'checked', after: 30, kept: false },
      ],
      '2026-11-23',
      first,
    );
    assert.deepEqual(
      both.days.map(({ day: date, shown, keystrokesSaved }) => [date, shown, keystrokesSaved]),
      [
        ['2026-11-22', 1, 11],
        ['2026-11-23', 1, 4],
      ],
    );
    const { shown, accepted, partly, dismissed, keystrokesSaved, checked, kept } = totals(both);
    assert.deepEqual([shown, accepted, partly, dismissed, keystrokesSaved], [2, 1, 1, 1, 15]);
    assert.deepEqual([checked, kept], [{ 30: 2 }, { 30: 1 }]);
    assert.equal(first.days.length, 1, 'nothing is changed in place');
  });

  test('old days are forgotten', () => {
    let all = noStatistics;
    for (let i = 0; i < 100; i++) all = count(all, { type: 'shown' }, `day ${i}`);
    assert.equal(all.days.length, 60);
    assert.equal(all.days[0]!.day, 'day 40');
  });

  test('quantiles of latencies are right to five percent', () => {
    const values = Array.from({ length: 100 }, (_, i) => 10 + 5 * i);
    const { latencies } = totals(day(values.map((milliseconds) => ({ type: 'answered', milliseconds }))));
    for (const [share, exact] of [
      [0.5, 255],
      [0.9, 455],
      [1, 505],
    ] as const) {
      const found = latencyQuantile(latencies, share)!;
      assert.ok(Math.abs(found / exact - 1) < 0.05, `${share}: ${found}`);
    }
    assert.equal(latencyQuantile({}, 0.5), undefined);
  });

  test('what an older or newer version stored is read or dropped with one line', () => {
    const { statistics } = readStatistics(undefined);
    assert.deepEqual([statistics, readStatistics(undefined).dropped], [noStatistics, undefined]);
    // As 0.1.0 wrote it.
    const stored = JSON.parse(
      `{"format":1,"days":[{"day":"2026-11-21","shown":3,"accepted":1,"partly":0,"dismissed":2,"keystrokesSaved":11,
        "checked":{"30":1},"kept":{"30":1},"latencies":{"46":3}}]}`,
    ) as Statistics;
    assert.deepEqual(readStatistics(stored), { statistics: stored });
    const table: [stored: unknown, line: RegExp][] = [
      [null, /no object/],
      [7, /no object/],
      [[], /no object/],
      [{}, /format is missing, and this version reads 1/],
      [{ format: 2, days: [] }, /format is 2, and this version reads 1/],
      [{ format: 1 }, /no days/],
      [{ format: 1, days: [{ day: '2026-11-21' }] }, /1 of 1 days are dropped/],
    ];
    for (const [value, line] of table) {
      const { statistics: read, dropped } = readStatistics(value);
      assert.deepEqual(read, noStatistics, dropped);
      assert.match(dropped!, line);
      assert.doesNotMatch(dropped!, /\n/);
    }
    const [good] = stored.days;
    const mixed = readStatistics({ format: 1, days: [good, { ...good, shown: 'many' }] });
    assert.deepEqual(mixed.statistics, stored);
    assert.match(mixed.dropped!, /1 of 2 days are dropped/);
  });
});

test('next edits are counted by what became of them, and shown once there were any', () => {
  const all = (['shown', 'shown', 'accepted'] as const).map((how) => ({ type: 'nextEdit', how }) as const);
  const counted = all.reduce((sum, event) => count(sum, event, '2026-12-01'), noStatistics);
  assert.deepEqual(totals(counted).nextEdits, { shown: 2, accepted: 1 });
  assert.deepEqual(readStatistics(JSON.parse(JSON.stringify(counted))), { statistics: counted });
  assert.match(statisticsHtml(counted), /next-edits-accepted"><dt>[^<]*<\/dt><dd>1</);
  assert.doesNotMatch(statisticsHtml(count(noStatistics, { type: 'shown' }, '2026-12-01')), /next-edits/);
});

describe('the page', () => {
  test('without counts it says so', () => assert.match(statisticsHtml(noStatistics), /Nothing has been counted/));

  test('it shows the figures, labels what is inferred, and runs nothing', () => {
    const all = day([
      { type: 'answered', milliseconds: 80 },
      { type: 'answered', milliseconds: 2000 },
      { type: 'shown' },
      { type: 'shown' },
      { type: 'accepted', characters: 40 },
      { type: 'dismissed' },
      { type: 'checked', after: 120, kept: true },
    ]);
    const html = statisticsHtml(all);
    const value = (key: string) => new RegExp(`data-figure="${key}"><dt>[^<]*</dt><dd>([^<]*)</dd>`).exec(html)?.[1];
    assert.equal(value('shown'), '2');
    assert.equal(value('accepted'), '1');
    assert.equal(value('rate'), '50 %');
    assert.equal(value('saved'), '39');
    assert.equal(value('kept-120'), '100 %');
    assert.equal(value('kept-600'), '–');
    assert.match(value('p50')!, /^(7|8)\d ms$/);
    assert.equal(html.match(/>inferred</g)?.length, 3);
    assert.doesNotMatch(html, /<script| on\w+="| style=|NaN|undefined|Infinity/);
  });

  test('bars stay in the picture, and zeros are left out', () => {
    const svg = bars({
      labels: ['a', 'b<', 'c'],
      series: [
        { name: 'x', style: 'x', values: [3, 0, 1] },
        { name: 'y', style: 'y', values: [1, 0] },
      ],
      xTitle: '',
      yTitle: '',
      width: 300,
      height: 200,
    });
    assert.equal(svg.match(/<rect/g)?.length, 3);
    for (const [, x, y, width, height] of svg.matchAll(
      /x="([\d.-]+)" y="([\d.-]+)" width="([\d.-]+)" height="([\d.-]+)"/g,
    )) {
      assert.ok(Number(x) >= 0 && Number(x) + Number(width) <= 300);
      assert.ok(Number(y) >= 0 && Number(y) + Number(height) <= 200);
    }
    assert.match(svg, /aria-label="x: 4; y: 1"/);
    assert.match(svg, /b&lt;/);
    assert.doesNotMatch(
      bars({ labels: [], series: [], xTitle: '', yTitle: '', width: 300, height: 200 }),
      /NaN|Infinity/,
    );
  });
});
