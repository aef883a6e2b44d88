/** Scenarios of the suite that are not run, by the beginning of their names, and why. */
export const notOurs: {
  readonly client: Readonly<Record<string, string>>;
  readonly server: Readonly<Record<string, string>>;
} = {
  client: {
    'auth/': 'the load client is given its tokens; it does not obtain them (OAuth)',
    'elicitation-sep1034-client-defaults': 'the load client has no user to ask and does not announce the capability',
    'sep-2322-client-request-state': 'the load client has no user to ask and does not announce the capability',
    'json-schema-2020-12-preservation':
      'asks a client to send back a schema that it was given; the load client never sends a schema',
    'sep-2640-': 'the skills extension is not part of a revision',
  },
  server: {
    'tasks-': 'the tasks extension is not part of a revision, and the reference server does not implement it',
    'sep-2640-': 'the skills extension is not part of a revision, and the reference server does not implement it',
  },
};
