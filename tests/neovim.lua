-- What tests/neovim.py has Neovim do: open a file, wait for the diagnostics, apply a quick fix, then all fixes, and
-- write the file. What was seen goes to a file as JSON. Runs in Neovim 0.7 and newer.

local root, binary, name = vim.env.PROJECT, vim.env.ASYNCFIX, vim.env.NAME
local seen = {}

local function finish(problem)
  seen.problem = problem
  local out = assert(io.open(vim.env.SEEN, "w"))
  out:write(vim.json and vim.json.encode(seen) or vim.fn.json_encode(seen))
  out:close()
  vim.cmd("qall!")
end

local function wait(what, condition)
  if not vim.wait(60000, condition, 20) then
    finish("waited in vain for " .. what)
  end
end

local function text()
  return table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, true), "\n")
end

-- Chooses the action whose title begins so, as a person would.
local function choose(title, only)
  local before, chosen = text(), nil
  vim.ui.select = function(items, options, choice)
    for _, item in ipairs(items) do
      local shown = (options.format_item or tostring)(item)
      if shown:sub(1, #title) == title then
        chosen = shown
        return choice(item)
      end
    end
    finish("no action begins with " .. title)
  end
  if vim.fn.has("nvim-0.8") == 1 then
    vim.lsp.buf.code_action({ context = only and { only = only, diagnostics = {} } or nil })
  else
    vim.lsp.buf.code_action(only and { only = only, diagnostics = {} } or nil)
  end
  wait(title, function() return chosen and text() ~= before end)
  return chosen
end

vim.cmd("edit " .. vim.fn.fnameescape(root .. "/" .. name))
local options = { name = "asyncfix", cmd = { binary, "server" }, root_dir = root }
if vim.lsp.start then
  vim.lsp.start(options)
else
  vim.lsp.buf_attach_client(0, vim.lsp.start_client(options))
end

local function diagnostics()
  local found = {}
  for _, it in ipairs(vim.diagnostic.get(0)) do
    table.insert(found, { line = it.lnum + 1, code = it.code or (it.user_data or {}).lsp.code, source = it.source })
  end
  table.sort(found, function(one, other) return one.line < other.line end)
  return found
end

wait("diagnostics", function() return #vim.diagnostic.get(0) >= tonumber(vim.env.FINDINGS) end)
seen.diagnostics = diagnostics()

vim.api.nvim_win_set_cursor(0, { seen.diagnostics[1].line, 8 })
seen.fix = choose("Apply await-sleep (intended)")
seen.after_fix = text()
wait("fewer diagnostics", function() return #vim.diagnostic.get(0) < #seen.diagnostics end)
seen.fix_all = choose("Apply all", { "source.fixAll.asyncfix" })
wait("no diagnostics", function() return #vim.diagnostic.get(0) == 0 end)
vim.cmd("write")
finish(nil)
