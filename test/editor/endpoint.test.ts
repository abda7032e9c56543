/** An endpoint in a real editor: where it stands that text is sent, and whose token goes along. */
import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { pack, start, type Workplace } from './suite';

const minute = 60_000;
const file = join('src', 'harbour.ts');

describe('an endpoint', { timeout: 15 * minute }, () => {
  let packed: Awaited<ReturnType<typeof pack>>;
  let work: Workplace;
  let server: Server;
  /** The token that each question came with. */
  const tokens: (string | undefined)[] = [];

  before(
    async () => {
      server = createServer((request, response) => {
        const wants = request.headers.authorization !== 'Bearer a-team-token';
        if (request.url === '/v1/completions') tokens.push(request.headers.authorization);
        response.writeHead(wants ? 401 : 200, { 'content-type': 'application/json' });
        const models = { object: 'list', data: [{ id: 'team-coder' }] };
        const written = { choices: [{ text: 'theTeamWroteThis();', finish_reason: 'stop' }] };
        const refusal = {
          error: { message: 'no', type: 'authentication_error', param: null, code: 'invalid_api_key' },
        };
        response.end(JSON.stringify(wants ? refusal : request.url === '/v1/models' ? models : written));
      });
      await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
      const { port } = server.address() as AddressInfo;
      packed = await pack();
      const machineSettings = {
        'thoughtline.endpoint': `http://127.0.0.1:${port}/v1`,
        'thoughtline.timeBudget': 10_000,
      };
      work = await start(packed.vsix, { machineSettings });
      await work.page.open(file);
    },
    { timeout: 9 * minute },
  );
  after(async () => {
    await work?.close();
    await packed?.remove();
    server.close();
  });

  test('is named in the status item; without its token the local model writes, and it is said why', async () => {
    const { page } = work;
    await page.waitForStatus(/Text around the cursor is sent to 127\.0\.0\.1:\d+, which writes/);
    await page.goto(await page.lineOf(file, 'class Harbour'), 1);
    await page.press('End', 'Enter');
    await page.type('const a = ');
    await page.waitForStatus(/since the endpoint does not: .*it wants another token.*\(invalid_api_key\)/);
    await page.screenshot('23-an-endpoint-without-its-token');
  });

  test('with the token that the user gives it writes', async () => {
    const { page } = work;
    await page.pick('Thoughtline: Set Endpoint Token…');
    const input = page.page.locator('.quick-input-widget input').first();
    await input.waitFor();
    assert.equal(await input.getAttribute('type'), 'password');
    await input.fill('a-team-token');
    await page.press('Enter');
    await page.waitForStatus(/sent to (team-coder at )?127\.0\.0\.1/, 2 * minute);
    await page.focusEditor(file);
    await page.press('End', 'Enter');
    await page.type('const b = ');
    const ghost = await page.waitForGhostText(minute);
    assert.equal(ghost, 'theTeamWroteThis();');
    await page.screenshot('24-an-endpoint-writes');
    await page.waitForStatus(/sent to team-coder at 127\.0\.0\.1:\d+, which writes/);
    assert.equal(tokens.at(-1), 'Bearer a-team-token');
  });
});
