/**
 * How https is spoken with the target: files named by the scenario or the command line, read and checked before
 * anything starts.
 */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { descend, type MapNode } from '../../yaml/node.js';
import { problemAt } from '../../yaml/problem.js';
import type { TargetSource } from '../keys/scenario-schema.js';
import type { TlsPlan } from '../plan.js';
import type { ReportProblem } from '../source-part.js';
import {
  readSecretFile,
  refuseForeignFile,
  type SecretReference,
  type SecretSource,
  secretReference,
} from './secret-files.js';

const INSECURE = 'the certificate of the target is not checked (insecure): whoever answers at its address is believed';

/** @returns undefined when nothing is said of TLS, or something is wrong, all of which is reported */
export function resolveTls(
  source: TargetSource['tls'],
  node: MapNode,
  secrets: SecretSource,
  refuse: ReportProblem,
  warn: (warning: string) => void,
): TlsPlan | undefined {
  const plan =
    secrets.from === 'request'
      ? fromRequest(source, node, secrets.tls, refuse)
      : fromFiles(source, node, secrets, refuse);
  if (plan?.insecure === true) warn(INSECURE);
  return plan;
}

function fromRequest(
  source: TargetSource['tls'],
  node: MapNode,
  given: TlsPlan | undefined,
  refuse: ReportProblem,
): TlsPlan | undefined {
  if (given !== undefined) return given;
  for (const key of ['ca', 'cert', 'key'] as const)
    if (source?.[key] !== undefined) refuseForeignFile(node, ['target', 'tls', key], refuse);
  return source?.insecure === true ? { insecure: true } : undefined;
}

function fromFiles(
  source: TargetSource['tls'],
  node: MapNode,
  { readText, options }: Extract<SecretSource, { from: 'files' }>,
  refuse: ReportProblem,
): TlsPlan | undefined {
  const file = (key: 'ca' | 'cert' | 'key'): SecretReference | undefined =>
    secretReference(node, ['target', 'tls', key], source?.[key], `--tls-${key}`, options[key]);
  const [ca, cert, key] = [file('ca'), file('cert'), file('key')];
  const insecure = options.insecure ?? source?.insecure ?? false;
  if (ca === undefined && cert === undefined && key === undefined && !insecure) return undefined;
  const read = (one: SecretReference | undefined): string | undefined => one && readSecretFile(one, readText, refuse);
  const texts = { ca: read(ca), cert: read(cert), key: read(key) };
  if (ca !== undefined && texts.ca !== undefined) checkCertificates(ca, texts.ca, refuse);
  const own = cert === undefined || texts.cert === undefined ? undefined : checkCertificates(cert, texts.cert, refuse);
  const secret = key === undefined || texts.key === undefined ? undefined : checkKey(key, texts.key, refuse);
  const lone =
    cert !== undefined && key === undefined ? cert : key !== undefined && cert === undefined ? key : undefined;
  if (lone !== undefined)
    refuse(
      problemAt(
        lone.at,
        'CONFLICT',
        lone.path,
        'a client certificate and its key belong together',
        cert === undefined ? 'give target.tls.cert (--tls-cert) too' : 'give target.tls.key (--tls-key) too',
      ),
    );
  if (key !== undefined && own !== undefined && secret !== undefined && !own.checkPrivateKey(secret)) {
    refuse(
      problemAt(key.at, 'CONFLICT', key.path, `${key.name} is not the key of the certificate in ${cert?.name ?? ''}`),
    );
  }
  return {
    ...(texts.ca === undefined ? {} : { ca: texts.ca }),
    ...(texts.cert === undefined ? {} : { cert: texts.cert }),
    ...(texts.key === undefined ? {} : { key: texts.key }),
    insecure,
  };
}

/** @returns the first certificate of the file */
function checkCertificates(file: SecretReference, text: string, refuse: ReportProblem): X509Certificate | undefined {
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  if (blocks.length === 0) {
    refuse(
      problemAt(
        file.at,
        'INVALID_VALUE',
        file.path,
        `${file.name} holds no certificate in PEM form`,
        'it has -----BEGIN CERTIFICATE----- in it; of DER: openssl x509 -inform der -in FILE',
      ),
    );
    return undefined;
  }
  try {
    return blocks.map((block) => new X509Certificate(block))[0];
  } catch (error) {
    refuse(
      problemAt(
        file.at,
        'INVALID_VALUE',
        file.path,
        `${file.name} holds a certificate that cannot be read: ${reason(error)}`,
      ),
    );
    return undefined;
  }
}

function checkKey(file: SecretReference, text: string, refuse: ReportProblem): KeyObject | undefined {
  if (/-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED/m.test(text)) {
    refuse(
      problemAt(
        file.at,
        'INVALID_VALUE',
        file.path,
        `the key in ${file.name} has a passphrase, and nobody is there to type it`,
        'openssl pkey -in FILE -out PLAIN, readable for you only',
      ),
    );
    return undefined;
  }
  try {
    return createPrivateKey(text);
  } catch {
    // Not the library's words: they may quote the file.
    refuse(problemAt(file.at, 'INVALID_VALUE', file.path, `${file.name} holds no private key in PEM form`));
    return undefined;
  }
}

/** TLS keys say nothing where nothing speaks TLS. */
export function refuseIdleTls(
  node: MapNode,
  secrets: SecretSource,
  urls: readonly string[],
  fromCommandLine: boolean,
  refuse: ReportProblem,
  warn: (warning: string) => void,
): void {
  if (urls.some((url) => /^(?:https|wss):/i.test(url))) return;
  const option = secrets.from === 'files' ? usedOption(secrets.options) : undefined;
  if (option !== undefined)
    refuse(
      problemAt(
        { file: option, line: 1, column: 1 },
        'CONFLICT',
        'target.tls',
        `${option} is for https, which no url of the target speaks`,
        'take it out',
      ),
    );
  const written = descend(node, ['target', 'tls']);
  if (written === undefined) return;
  if (fromCommandLine)
    warn('target.tls of the scenario is not used: the server named on the command line does not speak https');
  else
    refuse(
      problemAt(
        written.at,
        'CONFLICT',
        'target.tls',
        '`tls` is for https, which no url of the target speaks',
        'take it out, or use an https url',
      ),
    );
}

function usedOption({
  ca,
  cert,
  key,
  insecure,
}: Extract<SecretSource, { from: 'files' }>['options']): string | undefined {
  if (ca !== undefined) return '--tls-ca';
  if (cert !== undefined) return '--tls-cert';
  if (key !== undefined) return '--tls-key';
  return insecure === true ? '--insecure' : undefined;
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
