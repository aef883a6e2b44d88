export class ReportError extends Error {
  readonly code: 'report.no-log';
  constructor(code: ReportError['code'], message: string) {
    super(message);
    this.name = 'ReportError';
    this.code = code;
  }
}
