/** For one key of the schemas: sees its effect, or throws. */
type Row = () => Promise<void>;
export type Rows = Readonly<Record<string, Row>>;
