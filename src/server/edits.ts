import type { TextDocumentContentChangeEvent } from 'vscode-languageserver';

/** Lines of a document that the user has changed recently: what is being worked on says most about what comes next. */

/** Stretches that are remembered; older ones are forgotten. */
const KEPT = 8;

/** A change of more lines than this is no typing: a formatter, a paste of a whole file, another branch. */
const MAX_LINES = 40;

/** Lines from `from` up to, but without, `to`, both from 0. */
interface Stretch {
  readonly from: number;
  readonly to: number;
}

export class EditedLines {
  /** The latest last. */
  #stretches: readonly Stretch[] = [];

  /**
   * Text was put in place of the lines `start` to `end`, both included and from 0.
   * @param newlines how many the new text holds
   */
  changed(start: number, end: number, newlines: number): void {
    const grown = newlines - (end - start);
    const stretch = { from: start, to: start + newlines + 1 };
    const moved = this.#stretches.flatMap(({ from, to }) => {
      if (from > end) return [{ from: from + grown, to: to + grown }];
      // What touches the change becomes part of it.
      return to <= start ? [{ from, to }] : [];
    });
    const touched = this.#stretches.filter(({ from, to }) => from <= end && to > start);
    const whole = {
      from: Math.min(stretch.from, ...touched.map(({ from }) => from)),
      to: Math.max(stretch.to, ...touched.map(({ to }) => to + grown)),
    };
    const typed = Math.max(newlines, end - start) < MAX_LINES;
    this.#stretches = [...moved, ...(typed ? [whole] : [])].slice(-KEPT);
  }

  /** Changes as a client tells them, one after the other; one without a range is another text altogether. */
  apply(changes: readonly TextDocumentContentChangeEvent[]): void {
    for (const change of changes) {
      if (!('range' in change)) this.#stretches = [];
      else this.changed(change.range.start.line, change.range.end.line, change.text.split('\n').length - 1);
    }
  }

  /** The lines, from 0, in order; of a long stretch its beginning. */
  get lines(): number[] {
    const lines = this.#stretches.flatMap(({ from, to }) =>
      Array.from({ length: Math.min(MAX_LINES, to - from) }, (_, i) => from + i),
    );
    return [...new Set(lines)].sort((a, b) => a - b);
  }
}
