/** The page of statistics as HTML without scripts. */
import { bars } from './bars';
import { escapeHtml } from '../plot/html';
import { milliseconds, percent } from '../numbers';
import { latencyAt, latencyQuantile, retention, totals, type Statistics } from './statistics';
import { t } from './l10n';

/** What stands in the page's body. */
export function statisticsPage(statistics: Statistics): string {
  return `<h1>${t('Statistics')}</h1>
<main id="statistics">
${statisticsHtml(statistics)}
</main>
<p><a href="command:thoughtline.resetStatistics">${t('Forget all of this')}</a></p>`;
}

export function statisticsHtml(statistics: Statistics): string {
  const all = totals(statistics);
  const note = `<p class="note">${t('Counted on this machine and kept on this machine; nothing is sent. VS Code does not tell an extension what it shows: figures marked “inferred” follow from how the text changed.')}</p>`;
  if (all.days === 0) return `${note}<p>${t('Nothing has been counted yet. Accept a suggestion or two.')}</p>`;
  const rate = all.shown === 0 ? undefined : (all.accepted + all.partly) / all.shown;
  return [
    note,
    '<dl class="figures">',
    figure('shown', t('Shown'), String(all.shown), t('inferred')),
    figure('accepted', t('Accepted'), String(all.accepted), t('told by the editor')),
    figure('partly', t('Accepted in part'), String(all.partly), t('inferred')),
    figure('dismissed', t('Dismissed'), String(all.dismissed), t('inferred')),
    figure('rate', t('Acceptance'), percent(rate), t('accepted, whole or in part, of those shown')),
    figure(
      'saved',
      t('Keystrokes saved'),
      String(all.keystrokesSaved),
      t('characters accepted, less the keys it took'),
    ),
    ...retention.map((after) =>
      figure(
        `kept-${after}`,
        t('Still there after {0}', after < 60 ? t('{0} s', after) : t('{0} min', after / 60)),
        percent(all.checked[after] ? (all.kept[after] ?? 0) / all.checked[after] : undefined),
        t('of {0} looked at again', all.checked[after] ?? 0),
      ),
    ),
    figure(
      'p50',
      t('Latency, median'),
      milliseconds(latencyQuantile(all.latencies, 0.5)),
      t('half of the answers were faster'),
    ),
    figure(
      'p90',
      t('Latency, 90th percentile'),
      milliseconds(latencyQuantile(all.latencies, 0.9)),
      t('nine in ten were faster'),
    ),
    ...(['shown', 'accepted', 'dismissed'] as const).flatMap((how) =>
      Object.keys(all.nextEdits).length === 0
        ? []
        : [figure(`next-edits-${how}`, nextEditTerm(how), String(all.nextEdits[how] ?? 0), t('told by their keys'))],
    ),
    '</dl>',
    `<h3>${t('By day')}</h3>`,
    days(statistics),
    `<h3>${t('Latency')}</h3>`,
    latencies(all.latencies),
  ].join('\n');
}

function nextEditTerm(how: 'shown' | 'accepted' | 'dismissed'): string {
  const terms = {
    shown: t('Next edits shown'),
    accepted: t('Next edits accepted'),
    dismissed: t('Next edits dismissed'),
  };
  return terms[how];
}

function figure(key: string, term: string, value: string, note: string): string {
  return `<div data-figure="${key}"><dt>${escapeHtml(term)}</dt><dd>${escapeHtml(value)}</dd><dd class="note">${escapeHtml(note)}</dd></div>`;
}

/** Days of the plot; the numbers of all of them stand in the table. */
const PLOTTED_DAYS = 14;

function days({ days }: Statistics): string {
  const shown = days.slice(-PLOTTED_DAYS);
  const kinds = [
    { name: t('accepted'), style: 'accepted', values: shown.map((day) => day.accepted) },
    { name: t('accepted in part'), style: 'partly', values: shown.map((day) => day.partly) },
    { name: t('dismissed'), style: 'dismissed', values: shown.map((day) => day.dismissed) },
  ];
  const rows = days
    .toReversed()
    .map(
      (day) =>
        `<tr><th scope="row">${escapeHtml(day.day)}</th><td>${day.shown}</td><td>${day.accepted}</td><td>${day.partly}</td><td>${day.dismissed}</td><td>${day.keystrokesSaved}</td></tr>`,
    );
  const heads = [t('Day'), t('Shown'), t('Accepted'), t('In part'), t('Dismissed'), t('Keystrokes saved')];
  return `<figure>
${bars({ labels: shown.map(({ day }) => day.slice(5)), series: kinds, xTitle: t('day'), yTitle: t('suggestions'), width: 560, height: 240 })}
<figcaption>${kinds.map(({ name, style }) => `<span class="key ${style}">${name}</span>`).join(' ')}</figcaption>
</figure>
<details><summary>${t('The numbers')}</summary>
<table><thead><tr>${heads.map((head) => `<th scope="col">${head}</th>`).join('')}</tr></thead>
<tbody>${rows.join('')}</tbody></table>
</details>`;
}

/** Upper ends of the plot's classes, in milliseconds. */
const classes = [10, 25, 50, 100, 150, 200, 300, 500, 1000, Infinity] as const;

function latencies(counts: Readonly<Record<string, number>>): string {
  const values = classes.map(() => 0);
  for (const [index, n] of Object.entries(counts)) {
    const at = latencyAt(Number(index));
    values[classes.findIndex((end) => at <= end)]! += n;
  }
  const labels = classes.map((end) => (end === Infinity ? '>1000' : `≤${end}`));
  const series = [{ name: t('answers'), style: 'answers', values }];
  return `<figure>
${bars({ labels, series, xTitle: t('milliseconds from the request to the suggestion'), yTitle: t('answers'), width: 560, height: 220 })}
</figure>`;
}
