;; The DMA engine: memory.copy between any two places of the machine's shared memory.
;; V8 copies SharedArrayBuffers word by word with relaxed atomics; this instruction does not,
;; and moves a 4 KiB page about five times faster (docs/decisions/0002).
(module
  (import "env" "memory" (memory 1 65536 shared))
  (func (export "copy") (param $to i32) (param $from i32) (param $bytes i32)
    local.get $to
    local.get $from
    local.get $bytes
    memory.copy))
