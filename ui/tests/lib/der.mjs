// DER (X.690), as far as certificates of test data need it.
import { createSign, generateKeyPairSync } from 'node:crypto';

export function tagged(tag, ...parts) {
  const content = Buffer.concat(parts);
  const length = content.length < 128 ? [content.length] : content.length < 256 ? [0x81, content.length] : [0x82, content.length >> 8, content.length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...length]), content]);
}

const sequence = (...parts) => tagged(0x30, ...parts);
const oid = (hex) => tagged(0x06, Buffer.from(hex, 'hex'));
const utf8 = (text) => tagged(0x0c, Buffer.from(text));
const integer = (octets) => tagged(0x02, octets[0] & 0x80 ? Buffer.concat([Buffer.from([0]), octets]) : octets);
const bits = (octets) => tagged(0x03, Buffer.from([0]), octets);

export function name({ cn, o }) {
  const part = (id, text) => tagged(0x31, sequence(oid(id), utf8(text)));
  return sequence(...(o ? [part('55040a', o)] : []), ...(cn ? [part('550403', cn)] : []));
}

function time(date) {
  const digits = date.toISOString().replace(/[-:T]/g, '').slice(0, 14);
  return date.getUTCFullYear() < 2050 ? tagged(0x17, Buffer.from(`${digits.slice(2)}Z`)) : tagged(0x18, Buffer.from(`${digits}Z`));
}

const ECDSA_SHA256 = sequence(oid('2a8648ce3d040302'));

/** A CA that signs with a P-256 key. */
export function authority(subject) {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { subject: name(subject), privateKey, spki: publicKey.export({ type: 'spki', format: 'der' }) };
}

/** A certificate in PEM. */
export function certificate(ca, { serial, subject, names, notBefore, notAfter, spki }) {
  const general = names.map((text) => tagged(0x82, Buffer.from(text)));
  const san = names.length ? [sequence(oid('551d11'), tagged(0x04, sequence(...general)))] : [];
  const usage = sequence(oid('551d25'), tagged(0x04, sequence(oid('2b06010505070301'))));
  const tbs = sequence(
    tagged(0xa0, integer(Buffer.from([2]))),
    integer(serial),
    ECDSA_SHA256,
    ca.subject,
    sequence(time(notBefore), time(notAfter)),
    name(subject),
    spki,
    tagged(0xa3, sequence(usage, ...san)),
  );
  const signature = createSign('SHA256').update(tbs).sign(ca.privateKey);
  const der = sequence(tbs, ECDSA_SHA256, bits(signature));
  return `-----BEGIN CERTIFICATE-----\n${der.toString('base64').replace(/.{64}/g, '$&\n')}\n-----END CERTIFICATE-----\n`;
}

export function publicKeys() {
  const spki = (type, options) => generateKeyPairSync(type, options).publicKey.export({ type: 'spki', format: 'der' });
  return {
    ec: Array.from({ length: 20 }, () => spki('ec', { namedCurve: 'P-256' })),
    ec384: [spki('ec', { namedCurve: 'P-384' })],
    rsa: Array.from({ length: 3 }, () => spki('rsa', { modulusLength: 2048 })),
    weak: [spki('rsa', { modulusLength: 1024 })],
  };
}
