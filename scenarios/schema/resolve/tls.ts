/** How to speak https with the target. Files that the scenario or the command line name are read and checked here. */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { descend, type MapNode } from '../../yaml/node.js';
import { problemAt } from '../../yaml/problem.js';
import type { TargetSource } from '../keys/scenario-schema.js';
import type { TlsPlan } from '../plan.js';
import { positionOfOption, type ReportProblem } from '../source-part.js';
import {
  readSecretFile,
  refuseFileInRequest,
  type SecretReference,
  type SecretSource,
  secretReference,
} from './secret-files.js';

const INSECURE = 'the certificate of the target is not checked (insecure), so any server at its address is trusted';

/** @returns undefined where there is no TLS configuration */
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

/** TLS keys and options have no effect where no url is https or wss. */
export function refuseUnusedTls(
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
        positionOfOption(option),
        'CONFLICT',
        'target.tls',
        `${option} is for https, and no url of the target is https`,
        'remove it',
      ),
    );
  const written = descend(node, ['target', 'tls']);
  if (written === undefined) return;
  if (fromCommandLine)
    warn('target.tls of the scenario is not used, because the server on the command line does not speak https');
  else
    refuse(
      problemAt(
        written.at,
        'CONFLICT',
        'target.tls',
        '`tls` is for https, and no url of the target is https',
        'remove it, or use an https url',
      ),
    );
}

function usedOption({ ca, cert, key, insecure }: FileSecrets['options']): string | undefined {
  if (ca !== undefined) return '--tls-ca';
  if (cert !== undefined) return '--tls-cert';
  if (key !== undefined) return '--tls-key';
  return insecure === true ? '--insecure' : undefined;
}

type FileSecrets = Extract<SecretSource, { from: 'files' }>;

function fromRequest(
  source: TargetSource['tls'],
  node: MapNode,
  sent: TlsPlan | undefined,
  refuse: ReportProblem,
): TlsPlan | undefined {
  if (sent !== undefined) return sent;
  for (const key of ['ca', 'cert', 'key'] as const)
    if (source?.[key] !== undefined) refuseFileInRequest(node, ['target', 'tls', key], refuse);
  return source?.insecure === true ? { insecure: true } : undefined;
}

function fromFiles(
  source: TargetSource['tls'],
  node: MapNode,
  { readText, options }: FileSecrets,
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
  refuseOneWithoutTheOther(cert, key, refuse);
  const certificate =
    cert === undefined || texts.cert === undefined ? undefined : checkCertificates(cert, texts.cert, refuse);
  const privateKey = key === undefined || texts.key === undefined ? undefined : checkKey(key, texts.key, refuse);
  if (cert !== undefined && key !== undefined && certificate !== undefined && privateKey !== undefined)
    if (!certificate.checkPrivateKey(privateKey))
      refuse(problemAt(key.at, 'CONFLICT', key.path, `${key.name} is not the key of the certificate in ${cert.name}`));
  return {
    ...(texts.ca === undefined ? {} : { ca: texts.ca }),
    ...(texts.cert === undefined ? {} : { cert: texts.cert }),
    ...(texts.key === undefined ? {} : { key: texts.key }),
    insecure,
  };
}

function refuseOneWithoutTheOther(
  cert: SecretReference | undefined,
  key: SecretReference | undefined,
  refuse: ReportProblem,
): void {
  const only = cert ?? key;
  if (only === undefined || (cert !== undefined && key !== undefined)) return;
  const missing = cert === undefined ? 'cert' : 'key';
  refuse(
    problemAt(
      only.at,
      'CONFLICT',
      only.path,
      'a client certificate and its key belong together',
      `give target.tls.${missing} (--tls-${missing}) too`,
    ),
  );
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
        'PEM has -----BEGIN CERTIFICATE----- in it; to convert DER: openssl x509 -inform der -in FILE',
      ),
    );
    return undefined;
  }
  try {
    return blocks.map((block) => new X509Certificate(block))[0];
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const message = `${file.name} holds a certificate that cannot be read: ${reason}`;
    refuse(problemAt(file.at, 'INVALID_VALUE', file.path, message));
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
        `the key in ${file.name} has a passphrase, which nothing can ask you for here`,
        'openssl pkey -in FILE -out PLAIN, readable for you only',
      ),
    );
    return undefined;
  }
  try {
    return createPrivateKey(text);
  } catch {
    // Without the library's message, which may quote the file.
    refuse(problemAt(file.at, 'INVALID_VALUE', file.path, `${file.name} holds no private key in PEM form`));
    return undefined;
  }
}
