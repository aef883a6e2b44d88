/** Scenarios of the suite that are not asked, by the beginning of their names, and why. */
export const notOurs: {
  readonly client: Readonly<Record<string, string>>;
  readonly server: Readonly<Record<string, string>>;
} = {
  client: {
    'auth/': 'the load client is given its tokens; it does not obtain them (OAuth)',
    'elicitation-sep1034-client-defaults': 'the load client has no user to ask, and announces no such capability',
    'sep-2322-client-request-state': 'the load client has no user to ask, and announces no such capability',
    'json-schema-2020-12-preservation':
      'asks a client to send a schema back that it was given; the load client keeps what it makes of a schema, and never sends one',
    'sep-2640-': 'the skills extension is no part of a revision',
  },
  server: {
    'tasks-': 'the tasks extension is no part of a revision, and the reference server does not have it',
    'sep-2640-': 'the skills extension is no part of a revision, and the reference server does not have it',
  },
};
