import type { Controller } from '../../controller/controller.js';
import { eventsOf } from '../../log/event-log.js';
import type { RunEvent } from '../../log/events.js';
import type { RunHistory } from '../../log/run-history.js';
import type { ApiEndpoint } from '../api-endpoint.js';
import { lastEventId, SseStream } from '../sse-stream.js';
import { summaryOf } from './runs.js';

/** The log of a run as server-sent events. Their id is `seq`, so a new connection resumes after a broken one. */
export function eventEndpoints(controller: Controller, history: RunHistory): readonly ApiEndpoint[] {
  return [
    {
      method: 'get',
      path: '/runs/:id/events',
      access: 'viewer',
      summary: 'Streams the events of a run, from its first to its last; resumable by Last-Event-ID.',
      answer: { status: 200, contentType: 'text/event-stream' },
      handle: async (call) => {
        const id = call.param('id');
        await summaryOf(controller, history, id);
        const after = lastEventId(call.request.headers['last-event-id']);
        const stream = new SseStream(call.response);
        const events =
          controller.run(id)?.events(after, stream.signal) ?? since(after, eventsOf(history.eventsPath(id)));
        for await (const event of events) {
          stream.send(event.seq, event.type, event);
          await stream.room();
          if (stream.signal.aborted) return;
        }
        stream.end();
      },
    },
  ];
}

async function* since(after: number, events: AsyncIterable<RunEvent>): AsyncGenerator<RunEvent> {
  for await (const event of events) if (event.seq > after) yield event;
}
