-- What a user of Neovim does, as far as it can be done without hands: docs/lsp.md's configuration, a file, a suggestion
-- that is put in as `vim.lsp.inline_completion` puts it in, and its command. Prints what came of it as JSON.
--   nvim --headless -u NONE -l test/server/neovim.lua SERVER BUNDLE FILE LINE
local server, bundle, file, line = unpack(arg)
local timeout = 120000

local function fail(why)
  io.stderr:write(why .. '\n')
  os.exit(1)
end

local state
vim.lsp.config('thoughtline', {
  cmd = { server, '--stdio' },
  root_markers = { '.git' },
  init_options = { bundle = bundle, settings = { confidence = 'off', timeBudget = 0, device = 'cpu' } },
  handlers = {
    ['thoughtline/status'] = function(_, status)
      state = status.state
    end,
  },
})
vim.lsp.enable('thoughtline')
vim.cmd.filetype('on')
vim.cmd.edit(file)

local function client()
  return vim.lsp.get_clients({ name = 'thoughtline', bufnr = 0 })[1]
end
local ready = vim.wait(timeout, function()
  return client() ~= nil and (state == 'ready' or state == 'thinking')
end)
if not ready then
  fail('the server was not ready: ' .. tostring(state))
end

--- The answer to a request.
local function ask(method, params)
  local response = client():request_sync(method, params, timeout, 0)
  if not response or response.err then
    fail(method .. ': ' .. vim.inspect(response))
  end
  return response.result
end

vim.api.nvim_win_set_cursor(0, { tonumber(line), #vim.fn.getline(tonumber(line)) })
-- In normal mode the cursor is on the last character, not behind it.
local params = vim.lsp.util.make_position_params(0, client().offset_encoding)
params.position.character = #vim.fn.getline(tonumber(line))
params.context = { triggerKind = 1 }
local item = ask('textDocument/inlineCompletion', params).items[1]
if not item then
  fail('no suggestion: ' .. vim.inspect(ask('thoughtline/why', { uri = params.textDocument.uri, position = params.position })))
end

local from, to = item.range.start, item.range['end']
vim.api.nvim_buf_set_text(0, from.line, from.character, to.line, to.character, vim.split(item.insertText, '\n'))
local counted
client():exec_cmd(item.command, { bufnr = 0 }, function()
  counted = true
end)
vim.wait(timeout, function()
  return counted
end)
local version = vim.version()
print(vim.json.encode({
  neovim = version.major .. '.' .. version.minor .. '.' .. version.patch,
  server = client().server_info,
  text = item.insertText,
  line = vim.fn.getline(tonumber(line)),
  accepted = ask('thoughtline/statistics', vim.empty_dict()).accepted,
}))
client():stop()
vim.wait(5000, function()
  return client() == nil
end)
