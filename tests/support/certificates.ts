import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';

/** PEM texts. */
interface Certified {
  readonly key: string;
  readonly cert: string;
}

interface Authority extends Certified {
  /** For 127.0.0.1 and localhost, as server or client. */
  issue(name: string): Certified;
}

/**
 * A certificate for 127.0.0.1 and localhost, made on the spot (X.509 v3, DER by hand), so that no key lies about in the
 * repository.
 */
export function selfSigned(): Certified {
  const { publicKey, privateKey } = newKey();
  return certified(
    privateKey,
    body({ name: 'swarmbench test', issuer: 'swarmbench test', publicKey, authority: false }),
    privateKey,
  );
}

export function certificateAuthority(name = 'swarmbench test authority'): Authority {
  const own = newKey();
  const self = certified(
    own.privateKey,
    body({ name, issuer: name, publicKey: own.publicKey, authority: true }),
    own.privateKey,
  );
  return {
    ...self,
    issue(subject) {
      const { publicKey, privateKey } = newKey();
      return certified(own.privateKey, body({ name: subject, issuer: name, publicKey, authority: false }), privateKey);
    },
  };
}

function newKey(): { readonly publicKey: KeyObject; readonly privateKey: KeyObject } {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' });
}

interface Subject {
  readonly name: string;
  readonly issuer: string;
  readonly publicKey: KeyObject;
  readonly authority: boolean;
}

let serial = 0;

/** RFC 5280, 4.1: TBSCertificate. */
function body({ name, issuer, publicKey, authority }: Subject): Buffer {
  const alternatives = sequence(der(0x82, Buffer.from('localhost')), der(0x87, Buffer.from([127, 0, 0, 1])));
  const constraints = sequence(
    oid(0x55, 0x1d, 0x13),
    der(0x01, Buffer.from([0xff])),
    der(0x04, sequence(der(0x01, Buffer.from([0xff])))),
  );
  const extensions = authority ? constraints : sequence(oid(0x55, 0x1d, 0x11), der(0x04, alternatives));
  return sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.from([++serial])),
    ecdsaWithSha256(),
    distinguishedName(issuer),
    sequence(time('20200101000000Z'), time('21200101000000Z')),
    distinguishedName(name),
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(extensions)),
  );
}

function certified(signer: KeyObject, content: Buffer, key: KeyObject): Certified {
  const certificate = sequence(
    content,
    ecdsaWithSha256(),
    der(0x03, Buffer.from([0]), sign('sha256', content, signer)),
  );
  const base64 = (certificate.toString('base64').match(/.{1,64}/g) ?? []).join('\n');
  return {
    key: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
    cert: `-----BEGIN CERTIFICATE-----\n${base64}\n-----END CERTIFICATE-----\n`,
  };
}

function ecdsaWithSha256(): Buffer {
  return sequence(oid(0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02));
}

function distinguishedName(commonName: string): Buffer {
  return sequence(der(0x31, sequence(oid(0x55, 0x04, 0x03), der(0x0c, Buffer.from(commonName)))));
}

function der(tag: number, ...content: readonly Buffer[]): Buffer {
  const whole = Buffer.concat(content);
  return Buffer.concat([Buffer.from([tag, ...derLength(whole.length)]), whole]);
}

function derLength(length: number): readonly number[] {
  if (length < 128) return [length];
  if (length < 256) return [0x81, length];
  return [0x82, length >> 8, length & 255];
}

function sequence(...content: readonly Buffer[]): Buffer {
  return der(0x30, ...content);
}
function oid(...bytes: readonly number[]): Buffer {
  return der(0x06, Buffer.from(bytes));
}
function time(text: string): Buffer {
  return der(0x18, Buffer.from(text));
}
