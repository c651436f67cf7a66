" Four columns a brace, and four more where a statement goes on, as `formal fmt` does it.
if exists('b:did_indent')
  finish
endif
let b:did_indent = 1

setlocal indentexpr=FormalIndent(v:lnum)
setlocal indentkeys=0{,0},!^F,o,O,e
let b:undo_indent = 'setlocal indentexpr< indentkeys<'

if exists('*FormalIndent')
  finish
endif

function! s:Code(number) abort
  return substitute(getline(a:number), '\s*//.*$', '', '')
endfunction

function! FormalIndent(number) abort
  let l:before = prevnonblank(a:number - 1)
  while l:before > 0 && getline(l:before) =~# '^\s*//'
    let l:before = prevnonblank(l:before - 1)
  endwhile
  if l:before == 0
    return 0
  endif
  let l:code = s:Code(l:before)
  let l:depth = indent(l:before)
  let l:above = prevnonblank(l:before - 1)
  if l:code =~# '[;}]\s*$' && l:above > 0 && s:Code(l:above) !~# '[;{},]\s*$' && s:Code(l:above) =~# '\S' && indent(l:before) > indent(l:above)
    let l:depth = indent(l:above)
  endif
  if l:code =~# '{\s*$'
    let l:depth += shiftwidth()
  elseif l:code !~# '[;{},:]\s*$'
    let l:depth += shiftwidth()
  endif
  return getline(a:number) =~# '^\s*}' ? l:depth - shiftwidth() : l:depth
endfunction
