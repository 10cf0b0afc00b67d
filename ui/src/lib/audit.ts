/** Verifies an export of the audit log in the browser, as `certwright audit verify` does without a server. */

interface Sealed {
  position: number;
  hash: string;
  event: unknown;
}

interface Checkpoint {
  position: number;
  hash: string;
  at: string;
  signature: string;
}

interface Line {
  export?: { version: number; events: number };
  event?: Sealed;
  checkpoint?: Checkpoint;
}

export interface Verified {
  events: number;
  checkpoints: number;
  head: string;
  fault?: string;
}

const ENCODER = new TextEncoder();
const LABEL = ENCODER.encode('certwright event 1\n');

/** Follows the chain from its first event, and checks every signature. */
export async function verifyLog(text: string, publicKey: string): Promise<Verified> {
  const key = await crypto.subtle.importKey('spki', fromPem(publicKey), { name: 'ECDSA', namedCurve: 'P-256' }, false, ['verify']);
  const result: Verified = { events: 0, checkpoints: 0, head: '' };
  let hash = new Uint8Array(32);
  let covered = 0;
  let said: number | undefined;
  for (const row of text.split('\n')) {
    if (!row) continue;
    const line = JSON.parse(row) as Line;
    if (line.export) said = line.export.events;
    if (line.event) {
      const { position, event, hash: written } = line.event;
      if (position !== result.events + 1) return { ...result, fault: `After event ${result.events} comes event ${position}.` };
      hash = await next(hash, position, event);
      if (hex(hash) !== written) return { ...result, fault: `Event ${position} was changed after it was sealed.` };
      result.events = position;
      result.head = written;
    }
    if (line.checkpoint) {
      const { position, hash: written, at, signature } = line.checkpoint;
      if (position !== result.events || written !== result.head) return { ...result, fault: `The checkpoint at event ${position} does not agree with the chain.` };
      const statement = new TextEncoder().encode(`certwright checkpoint 1\n${position}\n${written}\n${Date.parse(at)}\n`);
      if (!(await crypto.subtle.verify({ name: 'ECDSA', hash: 'SHA-256' }, key, rawSignature(fromBase64(signature)), statement))) {
        return { ...result, fault: `The signature of the checkpoint at event ${position} is not of this server’s key.` };
      }
      result.checkpoints += 1;
      covered = position;
    }
  }
  if (said !== undefined && said !== result.events) return { ...result, fault: `${said} events are announced, and there are ${result.events}.` };
  return covered === result.events ? result : { ...result, fault: `No checkpoint covers the events after ${covered}.` };
}

async function next(previous: Uint8Array<ArrayBuffer>, position: number, event: unknown): Promise<Uint8Array<ArrayBuffer>> {
  const place = new DataView(new ArrayBuffer(8));
  place.setBigInt64(0, BigInt(position));
  const text = ENCODER.encode(canonical(event));
  const input = new Uint8Array(LABEL.length + 40 + text.length);
  input.set(LABEL);
  input.set(previous, LABEL.length);
  input.set(new Uint8Array(place.buffer), LABEL.length + 32);
  input.set(text, LABEL.length + 40);
  return new Uint8Array(await crypto.subtle.digest('SHA-256', input));
}

/** JSON with sorted names and without white space. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (value !== null && typeof value === 'object') {
    const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${entries.map(([name, each]) => `${JSON.stringify(name)}:${canonical(each)}`).join(',')}}`;
  }
  return JSON.stringify(value);
}

/** From DER to the two numbers side by side, as WebCrypto wants them. */
function rawSignature(der: Uint8Array): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(64);
  for (let at = 2, slot = 0; slot < 2; slot++) {
    const length = der[at + 1] ?? 0;
    const number = der.slice(at + 2, at + 2 + length);
    const trimmed = number.slice(Math.max(0, number.length - 32));
    out.set(trimmed, slot * 32 + 32 - trimmed.length);
    at += 2 + length;
  }
  return out;
}

const fromBase64 = (text: string): Uint8Array<ArrayBuffer> => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
const fromPem = (pem: string): Uint8Array<ArrayBuffer> => fromBase64(pem.replaceAll(/-----[^-]+-----|\s/g, ''));
const hex = (octets: Uint8Array): string => Array.from(octets, (octet) => octet.toString(16).padStart(2, '0')).join('');
