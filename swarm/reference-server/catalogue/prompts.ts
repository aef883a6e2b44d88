import { type TextContent, UnknownName } from './contract.js';

export const prompts = [
  {
    name: 'greeting',
    description: 'Greets someone by name.',
    arguments: [{ name: 'name', description: 'Who to greet.', required: true }],
  },
] as const;

export interface PromptText {
  readonly description: string;
  readonly messages: readonly { readonly role: 'user'; readonly content: TextContent }[];
}

/** @throws UnknownName for an unknown prompt */
export function getPrompt(name: string, given: Readonly<Record<string, string>>): PromptText {
  const [greeting] = prompts;
  if (name !== greeting.name) throw new UnknownName('Prompt', name);
  return {
    description: greeting.description,
    messages: [{ role: 'user', content: { type: 'text', text: `Hello, ${given.name ?? 'stranger'}!` } }],
  };
}
