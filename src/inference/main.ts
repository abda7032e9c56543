/** Entry of the inference process: it owns the model's sessions and does what its parent asks over the IPC channel. */
import { Engine, type DeviceSetting } from '../completion/engine';
import { messageOf } from '../model/errors';
import type { FromInference, InferenceConfig, ToInference } from './messages';
import { InferenceService } from './process';

let service: InferenceService | undefined;

process.on('message', (message) => {
  const received = message as ToInference;
  if (received.type === 'open') void open(received);
  else service?.receive(received);
});
// Without its parent nobody wants the work.
process.on('disconnect', () => process.exit());

async function open({ bundle, device, threads }: InferenceConfig): Promise<void> {
  try {
    const engine = await Engine.open(bundle, {
      device: device as DeviceSetting,
      threads: threads || undefined,
      log: (line) => send({ type: 'log', line }),
      onProgress: (fraction, message) => send({ type: 'loading', fraction, message }),
    });
    const { readsThought, defaultSteps, infills } = engine;
    const { name, version } = engine.bundle.manifest;
    service = new InferenceService(engine, send);
    send({
      type: 'ready',
      device: engine.device.device,
      model: { name, version, readsThought, defaultSteps, infills },
    });
  } catch (error) {
    send({ type: 'refused', reason: messageOf(error) });
  }
}

function send(message: FromInference): void {
  // A parent that has just gone cannot be told; `disconnect` follows.
  if (process.connected) process.send?.(message, () => undefined);
}
