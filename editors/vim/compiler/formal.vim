" :make checks the file that is edited; :make prove proves it. Mistakes, and violated properties' places, come into the quickfix list.
if exists('current_compiler')
  finish
endif
let current_compiler = 'formal'

CompilerSet makeprg=formal\ check\ --format\ text\ %:S
CompilerSet errorformat=%E%f:%l:%c:\ error[%t%n]:\ %m,%W%f:%l:%c:\ warning[%t%n]:\ %m
CompilerSet errorformat+=%E%f:\ error[%t%n]:\ %m,%W%f:\ warning[%t%n]:\ %m
CompilerSet errorformat+=%Z\ \ =\ help:\ %m,%C\ \ %.%#:%l:%c:\ %m,%-C\ \ %.%#,%-G%.%#
