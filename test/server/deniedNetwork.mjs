// Preloaded into a process (`node --import`): every way to the network throws, and is noted in the file that
// THOUGHTLINE_DENIALS names. The environment hands it on to child processes.
import { appendFileSync } from 'node:fs';
import dgram from 'node:dgram';
import dns from 'node:dns';
import http from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';
import { syncBuiltinESMExports } from 'node:module';
import net from 'node:net';
import tls from 'node:tls';

const notes = process.env.THOUGHTLINE_DENIALS;
appendFileSync(notes, `${process.pid} watched ${process.argv[1] ?? ''}\n`);

function deny(owner, name, what) {
  owner[name] = () => {
    appendFileSync(notes, `${process.pid} denied ${what}.${name}\n`);
    throw new Error(`${what}.${name}: this process must not use the network`);
  };
}

deny(net.Socket.prototype, 'connect', 'net.Socket');
deny(net.Server.prototype, 'listen', 'net.Server');
for (const name of ['bind', 'connect', 'send']) deny(dgram.Socket.prototype, name, 'dgram.Socket');
for (const name of ['request', 'get']) deny(http, name, 'http');
for (const name of ['request', 'get']) deny(https, name, 'https');
deny(http2, 'connect', 'http2');
deny(tls, 'connect', 'tls');
for (const [owner, what] of [
  [dns, 'dns'],
  [dns.promises, 'dns.promises'],
]) {
  for (const name of Object.keys(owner)) if (/^(lookup|resolve|reverse)/.test(name)) deny(owner, name, what);
}
for (const name of ['fetch', 'WebSocket', 'EventSource']) if (name in globalThis) deny(globalThis, name, 'globalThis');
syncBuiltinESMExports();
