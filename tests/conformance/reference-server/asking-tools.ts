import {
  acceptedContent,
  CLIENT_CAPABILITIES_META_KEY,
  type ElicitRequestFormParams,
  type InputRequest,
  inputRequired,
  inputResponse,
  type McpServer,
  type RequestStateCodec,
  type ServerContext,
} from '@modelcontextprotocol/server';
import { z } from 'zod';
import { text } from './content.js';

const name = z.object({ name: z.string() });
const envelope = z.looseObject({ [CLIENT_CAPABILITIES_META_KEY]: z.record(z.string(), z.unknown()).optional() });
function askName(message = 'What is your name?'): InputRequest {
  return inputRequired.elicit({ message, requestedSchema: name });
}
function askModel(prompt: string, maxTokens = 100): InputRequest {
  return inputRequired.createMessage({ messages: [{ role: 'user', content: text(prompt) }], maxTokens });
}

/**
 * Tools that need input from their client. They ask for it in their result (2026-07-28, multi-round-trip requests); for
 * clients of the session era, the SDK turns that into requests of the server.
 */
export function addAskingTools(mcp: McpServer, state: RequestStateCodec): void {
  addSessionEraTools(mcp);
  addTool(
    mcp,
    'test_missing_capability',
    () => ({ question: askModel('Anything') }),
    ({ question }) => modelSaid(question),
  );
  addTool(
    mcp,
    'test_streaming_elicitation',
    () => ({ user_name: askName() }),
    () => 'heard',
  );
  addTool(
    mcp,
    'test_input_required_result_elicitation',
    () => ({ user_name: askName() }),
    (_answers, context) => `Hello, ${nameOf(context, 'user_name') ?? ''}!`,
    (context) => nameOf(context, 'user_name') !== undefined,
  );
  addTool(
    mcp,
    'test_input_required_result_sampling',
    () => ({ capital_question: askModel('What is the capital of France?') }),
    ({ capital_question: answer }) => modelSaid(answer),
  );
  addTool(
    mcp,
    'test_input_required_result_list_roots',
    () => ({ client_roots: inputRequired.listRoots() }),
    ({ client_roots: roots }) => `roots: ${JSON.stringify(roots)}`,
  );
  addTool(
    mcp,
    'test_input_required_result_capabilities',
    ({ mcpReq }) => {
      const declared = envelope.safeParse(mcpReq.envelope).data?.[CLIENT_CAPABILITIES_META_KEY] ?? {};
      return {
        ...(declared.elicitation === undefined ? {} : { user_name: askName() }),
        ...(declared.sampling === undefined ? {} : { greeting: askModel('Generate a greeting', 50) }),
        ...(declared.roots === undefined ? {} : { client_roots: inputRequired.listRoots() }),
      };
    },
    () => 'heard',
  );
  addToolsWithState(mcp, state);
}

/** Asks for all inputs at once, until all have been answered. */
function addTool(
  mcp: McpServer,
  tool: string,
  ask: (context: ServerContext) => Readonly<Record<string, InputRequest>>,
  answer: (answers: Readonly<Record<string, unknown>>, context: ServerContext) => string,
  complete?: (context: ServerContext) => boolean,
): void {
  mcp.registerTool(tool, { description: 'Asks its client' }, (context) => {
    const inputRequests = ask(context);
    const { inputResponses } = context.mcpReq;
    const answered =
      complete?.(context) ??
      Object.keys(inputRequests).every((key) => inputResponse(inputResponses, key).kind !== 'missing');
    return answered ? { content: [text(answer(inputResponses ?? {}, context))] } : inputRequired({ inputRequests });
  });
}

/** The client must send the state back unchanged; the SDK refuses an altered one before the tool is called. */
function addToolsWithState(mcp: McpServer, state: RequestStateCodec): void {
  const confirm = inputRequired.elicit({ message: 'Please confirm', requestedSchema: z.object({ ok: z.boolean() }) });
  const withState = (tool: string, inputRequests: Record<string, InputRequest>, answer: string): void =>
    void mcp.registerTool(tool, { description: 'Asks its client, and remembers by it' }, async ({ mcpReq }) => {
      const answered =
        mcpReq.requestState() !== undefined &&
        Object.keys(inputRequests).every((key) => inputResponse(mcpReq.inputResponses, key).kind !== 'missing');
      return answered
        ? { content: [text(answer)] }
        : inputRequired({ inputRequests, requestState: await state.mint({ round: 1 }) });
    });
  withState('test_input_required_result_request_state', { confirm }, 'state-ok');
  withState('test_input_required_result_tampered_state', { confirm }, 'state-ok');
  withState(
    'test_input_required_result_multiple_inputs',
    { user_name: askName(), greeting: askModel('Generate a greeting', 50), client_roots: inputRequired.listRoots() },
    'all answered',
  );
  mcp.registerTool(
    'test_input_required_result_multi_round',
    { description: 'Asks its client twice' },
    async (context) => {
      const { mcpReq } = context;
      const { round, name: known } = mcpReq.requestState<{ readonly round: number; readonly name?: string }>() ?? {
        round: 1,
      };
      const color = acceptedContent(mcpReq.inputResponses, 'step2', z.object({ color: z.string() }));
      if (round === 2 && color !== undefined) return { content: [text(`${known} likes ${color.color}`)] };
      const given = nameOf(context, 'step1') ?? known;
      if (given === undefined)
        return inputRequired({
          inputRequests: { step1: askName('Step 1: What is your name?') },
          requestState: await state.mint({ round: 1 }),
        });
      const step2 = inputRequired.elicit({
        message: 'Step 2: What is your favorite color?',
        requestedSchema: z.object({ color: z.string() }),
      });
      return inputRequired({ inputRequests: { step2 }, requestState: await state.mint({ round: 2, name: given }) });
    },
  );
}

function addSessionEraTools(mcp: McpServer): void {
  mcp.registerTool(
    'test_sampling',
    { description: 'Asks the model of its client', inputSchema: z.object({ prompt: z.string() }) },
    ({ prompt }, { mcpReq }) =>
      inputResponse(mcpReq.inputResponses, 'sampling').kind === 'missing'
        ? inputRequired({ inputRequests: { sampling: askModel(prompt) } })
        : { content: [text(`LLM response: ${modelSaid(mcpReq.inputResponses?.sampling)}`)] },
  );
  mcp.registerTool(
    'test_elicitation',
    { description: 'Asks the user of its client', inputSchema: z.object({ message: z.string() }) },
    ({ message }, { mcpReq }) => {
      const requestedSchema = z.object({
        username: z.string().describe("User's response"),
        email: z.string().describe("User's email address"),
      });
      return userSaid(mcpReq.inputResponses, 'User response', inputRequired.elicit({ message, requestedSchema }));
    },
  );
  for (const [tool, requestedSchema] of [
    ['test_elicitation_sep1034_defaults', defaultsForm],
    ['test_elicitation_sep1330_enums', enumsForm],
  ] as const) {
    mcp.registerTool(tool, { description: 'Asks the user of its client with a form' }, ({ mcpReq }) =>
      userSaid(
        mcpReq.inputResponses,
        'Elicitation completed',
        inputRequired.elicit({ message: 'Please fill in', requestedSchema }),
      ),
    );
  }
}

function userSaid(
  responses: Record<string, unknown> | undefined,
  prefix: string,
  question: InputRequest,
): ReturnType<typeof inputRequired> | { content: ReturnType<typeof text>[] } {
  const view = inputResponse(responses, 'question');
  if (view.kind !== 'elicit') return inputRequired({ inputRequests: { question } });
  return { content: [text(`${prefix}: action=${view.action}, content=${JSON.stringify(view.content ?? {})}`)] };
}

function nameOf({ mcpReq }: ServerContext, key: string): string | undefined {
  return acceptedContent(mcpReq.inputResponses, key, name)?.name;
}

/** The text of a sampling result. */
function modelSaid(response: unknown): string {
  const parsed = z
    .object({ content: z.union([z.object({ text: z.string() }), z.array(z.object({ text: z.string() }))]) })
    .safeParse(response);
  if (!parsed.success) return '';
  return [parsed.data.content]
    .flat()
    .map((part) => part.text)
    .join('');
}

type Form = ElicitRequestFormParams['requestedSchema'];

/** A default for each type of value. */
const defaultsForm: Form = {
  type: 'object',
  properties: {
    name: { type: 'string', default: 'John Doe' },
    age: { type: 'integer', default: 30 },
    score: { type: 'number', default: 95.5 },
    status: { type: 'string', enum: ['active', 'inactive', 'pending'], default: 'active' },
    verified: { type: 'boolean', default: true },
  },
  required: [],
};

function titled(noun: string): { const: string; title: string }[] {
  return [1, 2, 3].map((number) => ({
    const: `value${number}`,
    title: `${['First', 'Second', 'Third'][number - 1] ?? ''} ${noun}`,
  }));
}

/** Every way to offer a choice. */
const enumsForm: Form = {
  type: 'object',
  properties: {
    untitledSingle: { type: 'string', enum: ['option1', 'option2', 'option3'] },
    titledSingle: { type: 'string', oneOf: titled('Option') },
    legacyEnum: {
      type: 'string',
      enum: ['opt1', 'opt2', 'opt3'],
      enumNames: ['Option One', 'Option Two', 'Option Three'],
    },
    untitledMulti: { type: 'array', items: { type: 'string', enum: ['option1', 'option2', 'option3'] } },
    titledMulti: { type: 'array', items: { anyOf: titled('Choice') } },
  },
  required: [],
};
