import { t } from './l10n';

/** What a device is called where people read it. */
export function deviceName(device: string): string {
  return device === 'wasm' ? t('the CPU in WebAssembly, which is slower') : device;
}
