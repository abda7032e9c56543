/** What people look at: the thought about a document, why nothing was suggested, statistics. */
import { createHash } from 'node:crypto';
import { usage } from '../inference/messages';
import { StatisticsRequest, ThoughtRequest, WhyRequest, type Statistics, type ThoughtReport } from '../protocol';
import { needs, onRequest } from './handlers';
import type { LanguageServer } from './languageServer';
import { documentParameter, optionalPosition, optionalText, parts } from './parameters';

const place = parts({ uri: optionalText, position: optionalPosition });

export function handleReports(server: LanguageServer): void {
  const { connection, refinements } = server;
  onRequest(connection, ThoughtRequest, (params) => {
    const { uri } = documentParameter.parse(params);
    if (uri === undefined) return needs('uri');
    // Who looks at a document's thought wants it up to date, whatever the editor opened in the background meanwhile.
    refinements.watched(uri);
    return thoughtReport(server, uri);
  });
  onRequest(connection, WhyRequest, (params) => why(server, params));
  onRequest(connection, StatisticsRequest, () => statistics(server));
}

async function thoughtReport(server: LanguageServer, uri: string): Promise<ThoughtReport | null> {
  const { client, completions } = server;
  if (!server.open.sessions.get(uri)?.thought) return null;
  const changes = await client.changes(uri);
  // The document may have been closed, or the model have ended, meanwhile.
  const session = server.open.sessions.get(uri);
  const { lifecycle, model } = client;
  if (!session?.thought || lifecycle.state !== 'ready' || !model) return null;
  const { trace, kind, startedFrom } = session.thought;
  const { lastSuggestion: last, choice, version } = session;
  return {
    uri,
    steps: session.thoughtAbout?.steps ?? server.stepsWanted.idle,
    kind,
    startedFrom,
    trace,
    changes,
    device: lifecycle.device,
    window: session.window,
    ...(last && { lastSuggestion: { ...last, under: underOf(last.thought, version) } }),
    ...(choice && {
      choice: choice.candidates.map(({ text, logprob, logprobs = [] }) => ({ text, logprob, logprobs })),
    }),
    latencies: completions.cadence.latencies,
    model,
  };
}

/** Which thought a suggestion was written under, seen from the one that serves now. */
function underOf(thought: number, now: number): 'this' | 'earlier' | 'start' {
  if (thought === now) return 'this';
  return thought === 0 ? 'start' : 'earlier';
}

function why({ configuration, open, nextEdits, restrictions }: LanguageServer, params: unknown) {
  const { uri, position } = place.parse(params);
  if (uri === undefined || !position) return needs('uri and position');
  const document = open.get(uri);
  const session = open.sessions.get(uri);
  if (!document || !session) return { reason: 'the server has not been told about this document', details: [] };
  const text = document.getText();
  const sum = createHash('sha256').update(text).digest('hex');
  const copy = `the server's copy: version ${document.version}, ${text.length} characters, SHA-256 ${sum}`;
  const edits = configuration.settings.nextEdits === 'off' ? undefined : nextEdits.lastDecision;
  const details = [...session.history(), ...(edits === undefined ? [] : [`next edit: ${edits}`]), copy];
  const standing = restrictions.blockedBecause(document) ?? restrictions.autoSuppressedBecause(document, position);
  if (standing !== undefined) return { reason: standing, standing: true, details };
  return { reason: restrictions.lastReason(document, session, position), details };
}

async function statistics({ client, completions }: LanguageServer): Promise<Statistics> {
  const { paths, cancelled, accepted, refinementRunsWaited, refinementRunsAhead, prefetch } = completions.tally;
  const [server, inference] = [usage(), await client.usage()];
  return {
    paths,
    cancelled,
    accepted,
    refinementRunsWaited: [...refinementRunsWaited],
    refinementRunsAhead,
    prefetch,
    respawns: client.respawns,
    ...(client.pid !== undefined && { inferencePid: client.pid }),
    memory: { server: server.memoryMb, inference: inference.memoryMb },
    cpu: { server: server.cpuSeconds, inference: inference.cpuSeconds },
  };
}
