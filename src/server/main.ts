#!/usr/bin/env node
/** The language server's program: its parts, and who handles what a client says. */
import { createConnection, ProposedFeatures } from 'vscode-languageserver/node';
import { handleDocuments } from './documentHandlers';
import { LanguageServer } from './languageServer';
import { handleLifecycle } from './lifecycleHandlers';
import { handleReports } from './reportHandlers';
import { handleNextEdits, handleSuggestions } from './suggestionHandlers';

const connection = createConnection(ProposedFeatures.all);
const server = new LanguageServer(connection);
handleLifecycle(server);
handleDocuments(server);
handleSuggestions(server);
handleNextEdits(server);
handleReports(server);

// Each promise has somebody who handles its failure; one that was forgotten is not worth the end of the server.
process.on('unhandledRejection', (error) => server.log(`unexpected: ${String(error)}`));
server.open.listen(connection);
connection.listen();
