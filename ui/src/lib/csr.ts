/** A certificate request (RFC 2986) whose key is born in this browser, by WebCrypto: P-256 or RSA. */

import { kindOf } from './names';

type Octets = Uint8Array<ArrayBuffer>;

export interface BornHere {
  csr: string;
  /** PKCS #8 in PEM. Held by the page only, until it is left. */
  key: string;
}

export type Algorithm = 'p-256' | 'p-384' | 'rsa-2048' | 'rsa-3072';

/** Makes the key and a request for these names, addresses, mailboxes and URIs. */
export async function born(names: string[], algorithm: Algorithm): Promise<BornHere> {
  const { generate, sign, signature } = METHODS[algorithm];
  const pair = (await crypto.subtle.generateKey(generate, true, ['sign', 'verify'])) as CryptoKeyPair;
  const spki = new Uint8Array(await crypto.subtle.exportKey('spki', pair.publicKey));
  const info = sequence(integer(0), sequence(), spki, tagged(0xa0, attributes(names)));
  const raw = new Uint8Array(await crypto.subtle.sign(sign, pair.privateKey, info));
  const signed = algorithm.startsWith('p-') ? ecdsaDer(raw) : raw;
  const request = sequence(info, signature, bits(signed));
  const key = new Uint8Array(await crypto.subtle.exportKey('pkcs8', pair.privateKey));
  return { csr: pem('CERTIFICATE REQUEST', request), key: pem('PRIVATE KEY', key) };
}

const METHODS: Record<Algorithm, { generate: EcKeyGenParams | RsaHashedKeyGenParams; sign: AlgorithmIdentifier | EcdsaParams; signature: Octets }> = {
  'p-256': ec('P-256', 'SHA-256', '2a8648ce3d040302'),
  'p-384': ec('P-384', 'SHA-384', '2a8648ce3d040303'),
  'rsa-2048': rsa(2048),
  'rsa-3072': rsa(3072),
};

function ec(namedCurve: string, hash: string, signature: string) {
  return { generate: { name: 'ECDSA', namedCurve }, sign: { name: 'ECDSA', hash }, signature: sequence(oid(signature)) };
}

function rsa(modulusLength: number) {
  return {
    generate: { name: 'RSASSA-PKCS1-v1_5', modulusLength, publicExponent: Uint8Array.from([1, 0, 1]), hash: 'SHA-256' },
    sign: { name: 'RSASSA-PKCS1-v1_5' },
    signature: sequence(oid('2a864886f70d01010b'), tagged(0x05, new Uint8Array())),
  };
}

/** extensionRequest with one extension: subjectAltName (RFC 2985 section 5.4.2, RFC 5280 section 4.2.1.6). */
function attributes(names: string[]): Octets {
  const general = names.map(generalName);
  const san = sequence(oid('551d11'), tagged(0x04, sequence(...general)));
  return sequence(oid('2a864886f70d01090e'), tagged(0x31, sequence(san)));
}

function generalName(name: string): Octets {
  const text = new TextEncoder().encode(name);
  switch (kindOf(name)) {
    case 'email':
      return tagged(0x81, text);
    case 'dns':
      return tagged(0x82, text);
    case 'uri':
      return tagged(0x86, text);
    case 'ip':
      return tagged(0x87, name.includes(':') ? v6(name) : v4(name));
  }
}

const v4 = (name: string): Octets => Uint8Array.from(name.split('.').map(Number));

function v6(name: string): Octets {
  const [head = '', tail] = name.split('::');
  const groups = (text: string) => text.split(':').filter(Boolean).map((group) => parseInt(group, 16));
  const [before, after] = [groups(head), tail === undefined ? [] : groups(tail)];
  const middle = Array<number>(Math.max(0, 8 - before.length - after.length)).fill(0);
  return Uint8Array.from([...before, ...middle, ...after].flatMap((group) => [group >> 8, group & 0xff]));
}

/** WebCrypto gives r and s side by side; X.509 wants them in DER (RFC 3279 section 2.2.3). */
function ecdsaDer(raw: Octets): Octets {
  const half = raw.length / 2;
  return sequence(unsigned(raw.slice(0, half)), unsigned(raw.slice(half)));
}

function unsigned(octets: Octets): Octets {
  const start = octets.findIndex((octet) => octet !== 0);
  const value = octets.slice(start < 0 ? octets.length - 1 : start);
  return tagged(0x02, (value[0] ?? 0) & 0x80 ? concat([Uint8Array.of(0), value]) : value);
}

function oid(hex: string): Octets {
  return tagged(0x06, fromHex(hex));
}

function integer(value: number): Octets {
  return tagged(0x02, Uint8Array.of(value));
}

function bits(octets: Octets): Octets {
  return tagged(0x03, concat([Uint8Array.of(0), octets]));
}

function sequence(...parts: Octets[]): Octets {
  return tagged(0x30, concat(parts));
}

function tagged(tag: number, content: Octets): Octets {
  const length: number[] = [];
  for (let rest = content.length; rest > 0; rest >>= 8) length.unshift(rest & 0xff);
  const head = content.length < 128 ? [content.length] : [0x80 | length.length, ...length];
  return concat([Uint8Array.from([tag, ...head]), content]);
}

function concat(parts: Octets[]): Octets {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    all.set(part, offset);
    offset += part.length;
  }
  return all;
}

function fromHex(hex: string): Octets {
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

function pem(label: string, octets: Octets): string {
  const base64 = btoa(Array.from(octets, (octet) => String.fromCharCode(octet)).join(''));
  return `-----BEGIN ${label}-----\n${base64.match(/.{1,64}/g)?.join('\n') ?? ''}\n-----END ${label}-----\n`;
}
