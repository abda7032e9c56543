import { t } from './words';

/** What a device is called where people read it. */
export function deviceName(device: string): string {
  return device === 'wasm' ? t('the CPU in WebAssembly, which is slower') : device;
}
