import assert from 'node:assert/strict';
import { test } from 'node:test';
import { editorsReason, Requests, editorsDoing } from '../../../src/extension/requests';

const uri = 'file:///w/a.ts';

test('a request that is given up while nothing was typed and none came after it lost the race', () => {
  const table: [name: string, then: (requests: Requests, number: number) => void, version: number, lost: boolean][] = [
    ['given up', (requests, number) => requests.cancelled(number, 3), 3, true],
    ['answered', () => undefined, 3, false],
    ['typed on', (requests, number) => requests.cancelled(number, 4), 4, false],
    ['typed since', (requests, number) => requests.cancelled(number, 3), 4, false],
    [
      'another came',
      (requests, number) => {
        requests.begun(uri, 3);
        requests.cancelled(number, 3);
      },
      3,
      false,
    ],
  ];
  for (const [name, then, version, lost] of table) {
    const requests = new Requests();
    then(requests, requests.begun(uri, 3));
    assert.equal(/Another extension/.test(editorsReason(true, requests.of(uri), version) ?? ''), lost, name);
  }
});

test('VS Code’s own switch comes first; where it has not asked, that is told', () => {
  const requests = new Requests();
  assert.match(editorsReason(false, requests.of(uri), 1) ?? '', /editor\.inlineSuggest\.enabled/);
  assert.match(editorsDoing(requests.of(uri), 1) ?? '', /snoozed/);
  requests.begun(uri, 1);
  assert.equal(editorsDoing(requests.of(uri), 1), undefined);
  requests.answered(requests.begun(uri, 1), true);
  assert.match(editorsDoing(requests.of(uri), 1) ?? '', /suppressInSnippetMode/);
  assert.match(editorsDoing(requests.of(uri), 2) ?? '', /since the last change/);
  assert.match(editorsDoing(requests.of('file:///w/b.ts'), 1) ?? '', /since the last change/);
});
