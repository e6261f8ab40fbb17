# Run by embed_files: writes OUT, a C table of the FILES below DIR.
set(text "#include \"base/embedded.h\"\n\n")
set(rows "")
set(index 0)
foreach(file IN LISTS FILES)
  file(READ ${DIR}/${file} hex HEX)
  file(SIZE ${DIR}/${file} size)
  file(SHA256 ${DIR}/${file} hash)
  string(SUBSTRING ${hash} 0 12 hash)
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
  string(APPEND text
    "static const unsigned char file_${index}[] = {${bytes}0};\n")
  string(APPEND rows
    "    {\"${file}\", \"${hash}\", file_${index}, ${size}},\n")
  math(EXPR index "${index} + 1")
endforeach()
string(APPEND text
  "\nconst struct embedded_file ${NAME}[] = {\n${rows}    {0},\n};\n")
file(WRITE ${OUT} "${text}")
