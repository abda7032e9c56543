import { test } from 'node:test';
import { fuzz } from '../reliability/fuzz';
import { properties } from '../reliability/properties';

// The long run is `npm run reliability -- fuzz`. What it found has a case of its own beside what it was found in.
for (const property of properties) {
  test(property.name, async () => void (await fuzz([property], 300, 20261122)));
}
