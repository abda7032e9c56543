// The thought panel's page: shows what the extension sends, and sends back what the user does.
/* global document, window, acquireVsCodeApi */
'use strict';

(() => {
  const vscode = acquireVsCodeApi();
  const main = document.getElementById('thought');
  const steps = document.getElementById('steps');
  const value = document.getElementById('steps-value');

  window.addEventListener('message', ({ data }) => {
    if (data?.type !== 'update') return;
    const open = new Set([...main.querySelectorAll('details[open]')].map((section) => section.dataset.section));
    // The extension has escaped every text in here; the page's policy runs no script but this one.
    main.innerHTML = data.html;
    for (const section of main.querySelectorAll('details')) section.open = open.has(section.dataset.section);
    main.setAttribute('aria-busy', 'false');
    if (document.activeElement !== steps) steps.value = String(data.inferenceSteps);
    value.textContent = String(data.inferenceSteps);
  });

  steps.addEventListener('input', () => (value.textContent = steps.value));
  steps.addEventListener('change', () => vscode.postMessage({ type: 'steps', value: Number(steps.value) }));
  for (const button of document.querySelectorAll('button[data-command]')) {
    button.addEventListener('click', () => vscode.postMessage({ type: 'command', command: button.dataset.command }));
  }
  vscode.postMessage({ type: 'ready' });
})();
