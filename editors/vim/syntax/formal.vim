" The words of the language; tests/test_editors.py holds them to the grammar.
if exists('b:current_syntax')
  finish
endif

syntax case match

syntax keyword formalDeclare protocol import const param enum thread_local recursive mutex rwlock sem event cond context oneshot bh thread
syntax keyword formalDeclare hook callback proc deadlock invariant liveness strong nesting disable expect
syntax keyword formalModifier in home when on max ref returns requires ensures free eventually leads to fair proved up violated within
syntax keyword formalModifier blocking any of may drop by call once
syntax keyword formalStatement skip return lock unlock with rdlock wrlock rdunlock wrunlock wait post set reset signal broadcast await
syntax keyword formalStatement schedule poll aio_wait_while assert assume atomic spawn join invoke
syntax keyword formalControl if else while loop for break continue choose or
syntax keyword formalOperator forall exists number implies
syntax keyword formalConstant true false none
syntax keyword formalSpecial self result
syntax keyword formalType bool
syntax keyword formalFunction holds owner in_context current_context pending count is_set at finished
syntax keyword formalTodo TODO FIXME XXX contained

syntax match formalNumber '\<\d\+\>'
syntax match formalRange '\.\.'
syntax match formalLabel '^\s*\zs\h\w*\ze\s*:\%(\s\|$\)'
syntax match formalOperatorSign '==\|!=\|<=\|>=\|&&\|||\|[-+*/%<>!?=]'
syntax match formalAnchorSign '@' contained
syntax region formalString start='"' skip='\\.' end='"' oneline contains=@Spell
syntax match formalAnchor '@\s*"\%(\\.\|[^"\\]\)*"' contains=formalAnchorSign
syntax match formalComment '//.*$' contains=formalTodo,@Spell
syntax region formalComment start='/\*' end='\*/' contains=formalTodo,@Spell
syntax region formalBlock start='{' end='}' transparent fold
syntax sync minlines=200

highlight default link formalDeclare Structure
highlight default link formalModifier StorageClass
highlight default link formalStatement Statement
highlight default link formalControl Conditional
highlight default link formalOperator Operator
highlight default link formalConstant Constant
highlight default link formalSpecial Special
highlight default link formalType Type
highlight default link formalFunction Function
highlight default link formalTodo Todo
highlight default link formalNumber Number
highlight default link formalRange Operator
highlight default link formalLabel Label
highlight default link formalOperatorSign Operator
highlight default link formalAnchorSign Special
highlight default link formalString String
highlight default link formalAnchor PreProc
highlight default link formalComment Comment

let b:current_syntax = 'formal'
