/** For one key of the schemas: sees its effect, or throws. */
export type Row = () => Promise<void>;
export type Rows = Readonly<Record<string, Row>>;
