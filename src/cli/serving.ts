/** How the command line serves others: a program part of its own, so that nothing else of it knows the network. */
export { serve } from '../serve/server';
